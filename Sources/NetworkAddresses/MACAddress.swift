/// A 48-bit Ethernet hardware address, written `52:54:00:12:34:56`.
public struct MACAddress: Hashable, Sendable {
    /// The address as an integer; the first octet on the wire is the most significant of the low 48 bits.
    public let rawValue: UInt64

    /// The low 48 bits of `rawValue`.
    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue & 0xffff_ffff_ffff }

    /// Nil unless `bytes` holds exactly six octets, in wire order.
    @inlinable public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 6 else { return nil }
        var value: UInt64 = 0
        for byte in bytes { value = value << 8 | UInt64(byte) }
        self.init(rawValue: value)
    }

    /// The six octets in wire order.
    public var bytes: [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: rawValue >> UInt64(8 * (5 - $0))) }
    }

    /// True for group addresses (IEEE 802 I/G bit), which are never a machine's own.
    public var isMulticast: Bool { rawValue >> 40 & 1 == 1 }

    /// True for addresses chosen by software (IEEE 802 U/L bit) rather than burnt in by a manufacturer.
    public var isLocallyAdministered: Bool { rawValue >> 40 & 2 == 2 }
}

extension MACAddress: LosslessStringConvertible {
    /// Reads `52:54:00:12:34:56`, `52-54-00-12-34-56`, `5254.0012.3456` and `525400123456`, in either case.
    public init?(_ description: String) {
        var digits: [UInt8] = []
        for character in description.utf8 {
            switch character {
            case UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "."): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(character - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(character - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digits.append(character - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        guard digits.count == 12, [12, 14, 17].contains(description.utf8.count) else { return nil }
        rawValue = digits.reduce(0) { $0 << 4 | UInt64($1) }
    }

    public var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }
}

extension MACAddress: Comparable {
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension MACAddress: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is not a MAC address such as 52:54:00:12:34:56")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
