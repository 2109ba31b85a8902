import Glibc
import NIOCore
import NIOPosix

/// A UDP socket on one interface that hears broadcasts and may send them.
enum DHCPSocket {
    /// - Throws: ``BootServiceError`` with what to look at when the port is taken or the interface is not there.
    static func bind(
        interface: String?, port: Int, on loop: any EventLoop, handler: @escaping @Sendable () -> DHCPHandler
    ) async throws -> any Channel {
        let socket = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw BootServiceError("no UDP socket: \(String(cString: strerror(errno)))") }
        do {
            for option in [SO_REUSEADDR, SO_BROADCAST] {
                var on: Int32 = 1
                guard setsockopt(socket, SOL_SOCKET, option, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
                    throw BootServiceError("socket option \(option): \(String(cString: strerror(errno)))")
                }
            }
            if let interface {
                guard setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) == 0
                else {
                    throw BootServiceError(
                        errno == ENODEV
                            ? "no interface is called \(interface); see `ip link`"
                            : "cannot bind to interface \(interface): \(String(cString: strerror(errno))); slipwayd needs root or CAP_NET_RAW"
                    )
                }
            }
            let bound = try SocketAddress(ipAddress: "0.0.0.0", port: port).withSockAddr { address, length in
                Glibc.bind(socket, address, socklen_t(length))
            }
            guard bound == 0 else {
                throw BootServiceError(
                    errno == EADDRINUSE
                        ? "UDP port \(port) is taken on \(interface ?? "this host"); `ss -ulpn sport = :\(port)` shows by whom"
                        : "cannot bind UDP port \(port): \(String(cString: strerror(errno)))")
            }
        } catch {
            close(socket)
            throw error
        }
        return try await DatagramBootstrap(group: loop)
            .channelOption(.datagramVectorReadMessageCount, value: 32)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 2048))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            // The async form of withBoundSocket fails for every datagram channel (swift-nio 2.101).
            .withBoundSocket(socket).get()
    }
}

/// A boot service cannot start or go on.
public struct BootServiceError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
