import NetworkAddresses

/// One network interface.
public struct NIC: Codable, Equatable, Sendable {
    /// The kernel's name: good for this boot only.
    public var name: String
    public var mac: MACAddress
    /// The address burnt in, where the driver tells it.
    public var permanentMAC: MACAddress?
    public var driver: String?
    public var firmware: String?
    /// What is printed beside it: `PCIe Slot 3`, `Integrated NIC 1`.
    public var slot: String?
    /// Who is at the other end of the cable, by its own word; nil: nobody said anything.
    public var neighbour: LLDPNeighbour?
    /// Such as `0000:03:00.0`; nil when it is not a PCI function.
    public var pciAddress: String?
    /// A virtual function of another NIC (SR-IOV).
    public var isVirtualFunction: Bool
    public var linkUp: Bool
    /// Megabits a second; nil when unknown.
    public var speedMbps: Int?

    public init(
        name: String, mac: MACAddress, permanentMAC: MACAddress? = nil, driver: String? = nil,
        firmware: String? = nil, slot: String? = nil, neighbour: LLDPNeighbour? = nil, pciAddress: String? = nil,
        isVirtualFunction: Bool = false, linkUp: Bool = false, speedMbps: Int? = nil
    ) {
        (self.name, self.mac, self.permanentMAC, self.driver) = (name, mac, permanentMAC, driver)
        (self.firmware, self.slot, self.neighbour) = (firmware, slot, neighbour)
        (self.pciAddress, self.isVirtualFunction) = (pciAddress, isVirtualFunction)
        (self.linkUp, self.speedMbps) = (linkUp, speedMbps)
    }

    /// The address that counts for a machine's identity: permanent, of a PCI function, not made up by software.
    /// USB NICs between BMC and host carry the same address in many machines.
    public var identityMAC: MACAddress? {
        guard pciAddress != nil, !isVirtualFunction else { return nil }
        // QEMU's 52:54:00 addresses have the locally administered bit and are burnt in all the same.
        if let permanentMAC { return permanentMAC }
        return mac.isLocallyAdministered ? nil : mac
    }
}
