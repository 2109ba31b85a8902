import Inventory
import NetworkAddresses

extension MachineFacts {
    public init(system: HardwareReport.System, nics: [NIC]) {
        self.init(
            uuid: system.uuid.flatMap { $0.isMeaningful ? $0 : nil }, serial: system.serial,
            macs: nics.compactMap(\.identityMAC))
    }
}

extension HardwareReport {
    /// What an order names this machine by.
    public var facts: MachineFacts { MachineFacts(system: system, nics: nics) }

    /// Every MAC this machine may ask the network with.
    public func identityMACs(bootMAC: MACAddress) -> [MACAddress] {
        Array(
            Set(
                nics.flatMap { nic in nic.pciAddress == nil ? [] : [nic.mac] + [nic.permanentMAC].compactMap { $0 } }
                    + [bootMAC])
        ).sorted()
    }

    /// One line for the trail.
    public var summary: String {
        let product = [system.manufacturer, system.product].compactMap { $0 }.joined(separator: " ")
        return "\(product.isEmpty ? "unknown product" : product), serial \(system.serial ?? "none"), "
            + "\(processor.threads) threads, \(memory.installedBytes / 1_048_576) MiB, \(disks.count) disks, \(nics.count) NICs, "
            + firmware.kind.rawValue.uppercased()
    }
}
