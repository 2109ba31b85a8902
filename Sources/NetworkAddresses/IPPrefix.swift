/// An address with the length of its network's prefix: a host's with its network (`10.77.0.5/24`), or a network itself (`fd00:77::/64`).
public struct IPPrefix: Hashable, Sendable {
    public let address: IPAddress
    /// Bits: 0–32 or 0–128.
    public let length: Int

    /// Nil when the family has fewer bits.
    public init?(_ address: IPAddress, length: Int) {
        guard (0...address.bits).contains(length) else { return nil }
        (self.address, self.length) = (address, length)
    }

    /// Whether `other` has the same first bits. An address of another family has not.
    public func contains(_ other: IPAddress) -> Bool {
        guard other.isIPv6 == address.isIPv6 else { return false }
        for (index, (own, others)) in zip(address.bytes, other.bytes).enumerated() {
            let bits = min(8, max(0, length - 8 * index))
            guard (own ^ others) >> UInt8(8 - bits) == 0 else { return false }
        }
        return true
    }

    /// All host bits are zero: it names a network.
    public var isNetwork: Bool {
        for (index, byte) in address.bytes.enumerated() {
            let bits = min(8, max(0, length - 8 * index))
            guard bits == 8 || byte << UInt8(bits) == 0 else { return false }
        }
        return true
    }

    /// Whether `other` can be a host's in this network: not the address of an IPv4 network nor its broadcast address, which /31 (RFC 3021)
    /// and /32 do not have, nor the subnet-router anycast address of an IPv6 network (RFC 4291 §2.6.1), which /127 (RFC 6164) and /128 do not have.
    public func isHost(_ other: IPAddress) -> Bool {
        guard contains(other) else { return false }
        switch other {
        case .v4(let address): return IPv4Network(address, prefixLength: length)?.isHost(address) ?? false
        case .v6: return length >= 127 || IPPrefix(other, length: length)?.isNetwork == false
        }
    }

    /// The dotted mask of an IPv4 prefix, such as `255.255.255.0`; nil for IPv6.
    public var mask: IPv4Address? {
        guard case .v4(let address) = address else { return nil }
        return IPv4Network(address, prefixLength: length)?.mask
    }
}

extension IPPrefix: LosslessStringConvertible {
    /// Reads an address, a slash and a number of bits.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let length = UInt8(parts[1]),
            String(length) == parts[1]
        else { return nil }
        self.init(address, length: Int(length))
    }

    public var description: String { "\(address)/\(length)" }
}

extension IPPrefix: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let prefix = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\"\(text)\" is not an address with its prefix length, such as 10.77.0.5/24")
        }
        self = prefix
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
