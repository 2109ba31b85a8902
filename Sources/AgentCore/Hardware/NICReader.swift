import CAgent
import Inventory
import NetworkAddresses
import SMBIOS

/// What a driver tells of a link when it is asked.
public protocol LinkFacts: Sendable {
    /// The address burnt in.
    func permanentMAC(_ name: String) -> MACAddress?
    /// The firmware that the NIC runs.
    func firmware(_ name: String) -> String?
    /// Who is at the other end.
    func neighbour(_ name: String) -> LLDPNeighbour?
}

/// The kernel's ethtool, and what was heard.
public struct KernelLinkFacts: LinkFacts {
    private let neighbours: NeighbourTable

    public init(neighbours: NeighbourTable) { self.neighbours = neighbours }

    public func neighbour(_ name: String) -> LLDPNeighbour? { neighbours.neighbour(of: name) }

    public func permanentMAC(_ name: String) -> MACAddress? {
        var bytes = [UInt8](repeating: 0, count: 6)
        return agent_permanent_mac(name, &bytes) == 0 ? MACAddress(bytes: bytes) : nil
    }

    public func firmware(_ name: String) -> String? {
        var text = [UInt8](repeating: 0, count: 32)
        let result = text.withUnsafeMutableBytes {
            agent_nic_firmware(name, $0.baseAddress?.assumingMemoryBound(to: CChar.self))
        }
        let known = text.prefix { $0 != 0 }
        guard result == 0, !known.isEmpty else { return nil }
        let words = String(decoding: known, as: UTF8.self)
        return words == "N/A" ? nil : words
    }
}

struct NICReader {
    let files: SystemFiles
    let links: any LinkFacts
    let places: [DevicePlace]

    func nics() -> [NIC] {
        files.list("/sys/class/net").compactMap { name in
            let base = "/sys/class/net/\(name)"
            // Ethernet (ARPHRD 1) with a device behind it: no loopback, bridges, bonds, tunnels.
            guard files.number(base + "/type") == 1, files.exists(base + "/device"),
                let mac = files.text(base + "/address").flatMap({ MACAddress($0) })
            else { return nil }
            let device = files.resolve(base + "/device") ?? ""
            let speed = files.number(base + "/speed").flatMap { $0 > 0 ? Int($0) : nil }
            let address = PCIReader.address(inPath: device)
            return NIC(
                name: name, mac: mac, permanentMAC: links.permanentMAC(name),
                driver: files.resolve(base + "/device/driver")?.split(separator: "/").last.map(String.init),
                firmware: links.firmware(name),
                slot: PCIReader(files: files, places: places).place(ofPath: device),
                neighbour: links.neighbour(name), pciAddress: address,
                isVirtualFunction: files.exists(base + "/device/physfn"),
                linkUp: files.number(base + "/carrier") == 1, speedMbps: speed)
        }
    }
}
