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
        var (value, digits): (UInt64, Int) = (0, 0)
        for character in description.utf8.prefix(18) {
            let digit: UInt8
            switch character {
            case UInt8(ascii: ":"), UInt8(ascii: "-"), UInt8(ascii: "."): continue
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
            default: return nil
            }
            value = value << 4 | UInt64(digit)
            digits += 1
        }
        let length = description.utf8.count
        guard digits == 12, length == 12 || length == 14 || length == 17 else { return nil }
        rawValue = value
    }

    public var description: String {
        let digits: StaticString = "0123456789abcdef"
        return String(unsafeUninitializedCapacity: 17) { text in
            for octet in 0..<6 {
                let value = UInt8(truncatingIfNeeded: rawValue >> UInt64(8 * (5 - octet)))
                text[3 * octet] = digits.utf8Start[Int(value >> 4)]
                text[3 * octet + 1] = digits.utf8Start[Int(value & 15)]
                if octet < 5 { text[3 * octet + 2] = UInt8(ascii: ":") }
            }
            return 17
        }
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
