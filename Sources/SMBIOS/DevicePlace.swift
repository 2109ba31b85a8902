/// Where a PCI function is, in words that are printed on the machine: a slot (DSP0134 §7.10, type 9), or a device on the board (§7.42,
/// type 41).
public struct DevicePlace: Equatable, Sendable {
    public enum Kind: Sendable { case slot, onboard }

    public var kind: Kind
    /// `PCIe Slot 3`, `Integrated NIC 1`.
    public var designation: String
    /// `0000:3b:00.0`; the function of a slot is that of its first device.
    public var pciAddress: String

    /// Nil for structures of other types, and for those that name no place or no function (versions before 2.6).
    public init?(_ structure: SMBIOSStructure) {
        let offset: Int
        switch structure.kind {
        case .slot: (kind, offset) = (.slot, 0x0d)
        case .onboardDevice: (kind, offset) = (.onboard, 0x07)
        default: return nil
        }
        guard let designation = structure.text(at: 4), let segment = structure.uint16(at: offset),
            let bus = structure.uint8(at: offset + 2), let function = structure.uint8(at: offset + 3),
            // FFh: not of PCI, or nobody knows.
            bus != 0xff || function != 0xff
        else { return nil }
        self.designation = designation
        func digits(_ number: some BinaryInteger, _ count: Int) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        pciAddress = "\(digits(segment, 4)):\(digits(bus, 2)):\(digits(function >> 3, 2)).\(function & 7)"
    }
}
