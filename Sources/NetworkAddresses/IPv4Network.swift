/// An IPv4 subnet, written `10.77.0.0/24`.
public struct IPv4Network: Hashable, Sendable {
    /// The subnet's own address: all host bits are zero.
    public let address: IPv4Address
    /// Bits, 0–32.
    public let prefixLength: Int

    /// The subnet that `address` lies in. Nil unless `prefixLength` is 0–32.
    public init?(_ address: IPv4Address, prefixLength: Int) {
        guard (0...32).contains(prefixLength) else { return nil }
        self.prefixLength = prefixLength
        self.address = IPv4Address(rawValue: address.rawValue & Self.mask(prefixLength))
    }

    public var mask: IPv4Address { IPv4Address(rawValue: Self.mask(prefixLength)) }
    public var broadcast: IPv4Address { IPv4Address(rawValue: address.rawValue | ~Self.mask(prefixLength)) }

    public func contains(_ other: IPv4Address) -> Bool { other.rawValue & Self.mask(prefixLength) == address.rawValue }

    /// Whether `other` can be a host's: neither the subnet's own address nor its broadcast address, which /31 (RFC 3021) and /32
    /// do not have.
    public func isHost(_ other: IPv4Address) -> Bool {
        contains(other) && (prefixLength >= 31 || (other != address && other != broadcast))
    }

    private static func mask(_ prefixLength: Int) -> UInt32 {
        prefixLength == 0 ? 0 : ~UInt32(0) << UInt32(32 - prefixLength)
    }
}

extension IPv4Network: LosslessStringConvertible {
    /// Reads an address, a slash and a number of bits; host bits must be zero.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPv4Address(String(parts[0])), let bits = UInt8(parts[1]),
            String(bits) == parts[1], let network = Self(address, prefixLength: Int(bits)), network.address == address
        else { return nil }
        self = network
    }

    public var description: String { "\(address)/\(prefixLength)" }
}
