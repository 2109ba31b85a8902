import NIOCore
import NetworkAddresses

/// Between NIO's addresses and ours, without a detour through text.
extension SocketAddress {
    init(_ address: NetworkAddresses.IPv4Address, port: Int) throws {
        try self.init(packedIPAddress: ByteBuffer(bytes: address.bytes), port: port)
    }

    var ipv4: NetworkAddresses.IPv4Address? {
        guard case .v4 = self else { return nil }
        // struct sockaddr_in: family (2), port (2), address (4).
        return withSockAddr { address, _ in
            NetworkAddresses.IPv4Address(
                rawValue: UInt32(bigEndian: UnsafeRawPointer(address).load(fromByteOffset: 4, as: UInt32.self)))
        }
    }

    var ipv6: NetworkAddresses.IPv6Address? {
        guard case .v6 = self else { return nil }
        // struct sockaddr_in6: family (2), port (2), flow (4), address (16).
        return withSockAddr { address, _ in
            NetworkAddresses.IPv6Address(
                bytes: UnsafeRawBufferPointer(start: UnsafeRawPointer(address).advanced(by: 8), count: 16))
        }
    }

    /// The MAC that an IPv6 address tells, which traces go by; for IPv4 DHCP knows whose an address is.
    var traceMAC: MACAddress? { ipv6.flatMap { MachineAddress.mac(in: $0) } }
}
