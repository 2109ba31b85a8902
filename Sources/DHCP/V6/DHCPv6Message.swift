import NetworkAddresses
import WireBytes

/// A DHCPv6 message between client and server (RFC 8415 §8).
public struct DHCPv6Message: Equatable, Sendable {
    public var type: DHCPv6MessageType
    /// 24 bits.
    public var transaction: UInt32
    public var options: DHCPv6Options

    public init(_ type: DHCPv6MessageType, transaction: UInt32, options: DHCPv6Options = .init()) {
        (self.type, self.transaction, self.options) = (type, transaction & 0xff_ffff, options)
    }

    /// Reads a datagram that came from no relay.
    /// - Throws: `WireError` where it ends too early.
    public init(parsing bytes: some Sequence<UInt8>) throws(WireError) {
        var reader = ByteReader(bytes)
        let head = try reader.uint32("message type and transaction")
        type = DHCPv6MessageType(rawValue: UInt8(head >> 24))
        transaction = head & 0xff_ffff
        options = try DHCPv6Options(parsing: reader.rest())
    }

    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.uint32(UInt32(type.rawValue) << 24 | transaction)
        writer.append(options.encoded)
        return writer.bytes
    }
}

/// What a relay agent makes of it (RFC 8415 §9): one envelope, which may hold another.
public struct DHCPv6RelayMessage: Equatable, Sendable {
    public var type: DHCPv6MessageType
    public var hops: UInt8
    /// An address of the link that the client is on.
    public var link: IPv6Address
    /// Who sent what is inside: the client, or the relay before.
    public var peer: IPv6Address
    public var options: DHCPv6Options

    public init(parsing bytes: some Sequence<UInt8>) throws(WireError) {
        var reader = ByteReader(bytes)
        type = DHCPv6MessageType(rawValue: try reader.uint8("message type"))
        hops = try reader.uint8("hop count")
        link = IPv6Address(bytes: try reader.take(16, "link address")) ?? .unspecified
        peer = IPv6Address(bytes: try reader.take(16, "peer address")) ?? .unspecified
        options = try DHCPv6Options(parsing: reader.rest())
    }

    public var encoded: [UInt8] {
        var writer = ByteWriter()
        writer.uint8(type.rawValue)
        writer.uint8(hops)
        writer.append(link.bytes)
        writer.append(peer.bytes)
        writer.append(options.encoded)
        return writer.bytes
    }

    /// The envelope for the way back: the same words, the interface as it was told, the answer inside (RFC 8415 §19.3).
    public func reply(with inner: [UInt8]) -> DHCPv6RelayMessage {
        var reply = self
        reply.type = .relayReply
        reply.options = DHCPv6Options()
        reply.options[.interfaceID] = options[.interfaceID]
        reply.options[.relayMessage] = inner
        return reply
    }
}

/// RFC 8415 §7.3. Open: other numbers are carried.
public struct DHCPv6MessageType: RawRepresentable, Hashable, Sendable {
    public var rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let solicit = Self(rawValue: 1)
    public static let advertise = Self(rawValue: 2)
    public static let request = Self(rawValue: 3)
    public static let confirm = Self(rawValue: 4)
    public static let renew = Self(rawValue: 5)
    public static let rebind = Self(rawValue: 6)
    public static let reply = Self(rawValue: 7)
    public static let release = Self(rawValue: 8)
    public static let decline = Self(rawValue: 9)
    public static let informationRequest = Self(rawValue: 11)
    public static let relayForward = Self(rawValue: 12)
    public static let relayReply = Self(rawValue: 13)
}
