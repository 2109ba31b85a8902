/// The beginning of MAC addresses: a manufacturer's three octets (an OUI), or up to all six. Written `b8:ca:3a`.
public struct MACPrefix: Hashable, Sendable {
    private let bits: UInt64
    private let octets: Int

    public func matches(_ mac: MACAddress) -> Bool { mac.rawValue >> UInt64(8 * (6 - octets)) == bits }
}

extension MACPrefix: LosslessStringConvertible {
    /// Reads three to six octets of two hex digits, with `:` or `-` between them.
    public init?(_ description: String) {
        let parts = description.split(omittingEmptySubsequences: false) { $0 == ":" || $0 == "-" }
        guard (3...6).contains(parts.count) else { return nil }
        var bits: UInt64 = 0
        for part in parts {
            guard part.utf8.count == 2, let octet = UInt8(part, radix: 16) else { return nil }
            bits = bits << 8 | UInt64(octet)
        }
        (self.bits, octets) = (bits, parts.count)
    }

    public var description: String {
        (0..<octets).reversed().map { index in
            let octet = UInt8(truncatingIfNeeded: bits >> UInt64(8 * index))
            return (octet < 16 ? "0" : "") + String(octet, radix: 16)
        }.joined(separator: ":")
    }
}
