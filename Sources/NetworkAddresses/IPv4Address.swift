/// An IPv4 address, written `10.77.0.1`.
public struct IPv4Address: Hashable, Sendable {
    /// The address as an integer; the first octet is the most significant.
    public let rawValue: UInt32

    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        rawValue = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Nil unless `bytes` holds exactly four octets, in wire order.
    @inlinable public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 4 else { return nil }
        var value: UInt32 = 0
        for byte in bytes { value = value << 8 | UInt32(byte) }
        self.init(rawValue: value)
    }

    /// The four octets in wire order.
    public var bytes: [UInt8] {
        [
            UInt8(truncatingIfNeeded: rawValue >> 24), UInt8(truncatingIfNeeded: rawValue >> 16),
            UInt8(truncatingIfNeeded: rawValue >> 8), UInt8(truncatingIfNeeded: rawValue),
        ]
    }

    /// `0.0.0.0`: no address yet.
    public static let unspecified = Self(rawValue: 0)
    /// `255.255.255.255`: everybody on this link.
    public static let broadcast = Self(rawValue: .max)
}

extension IPv4Address: LosslessStringConvertible {
    /// Reads four decimal numbers 0–255 with dots between them and without leading zeros, and nothing else.
    public init?(_ description: String) {
        let parts = description.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let octet = UInt8(part), String(octet) == part else { return nil }
            value = value << 8 | UInt32(octet)
        }
        rawValue = value
    }

    /// Written in place: answers to every packet have addresses in them.
    public var description: String {
        String(unsafeUninitializedCapacity: 15) { text in
            var count = 0
            for shift in stride(from: 24, through: 0, by: -8) {
                let octet = UInt8(truncatingIfNeeded: rawValue >> UInt32(shift))
                if octet >= 100 { put(octet / 100) }
                if octet >= 10 { put(octet / 10 % 10) }
                put(octet % 10)
                if shift > 0 { put(UInt8(ascii: ".") &- UInt8(ascii: "0")) }
            }
            func put(_ digit: UInt8) {
                text[count] = UInt8(ascii: "0") &+ digit
                count += 1
            }
            return count
        }
    }
}

extension IPv4Address: Comparable {
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension IPv4Address: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let address = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is not an IPv4 address such as 10.77.0.1")
        }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
