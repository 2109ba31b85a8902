import Inventory
import NetworkAddresses

extension HardwareReport {
    /// What an order names this machine by.
    public var facts: MachineFacts {
        MachineFacts(
            uuid: system.uuid.flatMap { $0.isMeaningful ? $0 : nil }, serial: system.serial,
            macs: nics.compactMap(\.identityMAC))
    }

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
            + "\(processor.threads) threads, \(memoryBytes / 1_048_576) MiB, \(disks.count) disks, \(nics.count) NICs, "
            + firmware.kind.rawValue.uppercased()
    }
}
