import Glibc
import Logging
import NIOCore
import NIOPosix
import NetworkAddresses

/// UDP sockets of the boot services: read in batches by a channel.
enum DatagramSocket {
    /// Opens and binds.
    /// - Parameter interface: packets of this one only, broadcasts among them; nil: by the address alone.
    /// - Throws: ``BootServiceError`` with what to look at when the port is taken or the interface is not there.
    static func open(address: String, port: Int, interface: String? = nil) throws -> Int32 {
        let local = try SocketAddress(ipAddress: address, port: port)
        let socket = socket(
            local.protocol == .inet6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw BootServiceError("no UDP socket: \(words(errno))") }
        do {
            if local.protocol == .inet6 { try set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            // Any address is listened on for broadcasts, several interfaces side by side.
            if address == "0.0.0.0" || address == "::" { try set(socket, SOL_SOCKET, SO_REUSEADDR, 1) }
            if address == "0.0.0.0" { try set(socket, SOL_SOCKET, SO_BROADCAST, 1) }
            if let interface {
                guard setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, interface, socklen_t(interface.utf8.count)) == 0
                else {
                    throw BootServiceError(
                        errno == ENODEV
                            ? "no interface is called \(interface); see `ip link`"
                            : "cannot bind to interface \(interface): \(words(errno)); slipwayd needs root or CAP_NET_RAW"
                    )
                }
            }
            if address == "::", let interface { try joinServers(socket, interface) }
            let bound = local.withSockAddr { Glibc.bind(socket, $0, socklen_t($1)) }
            guard bound == 0 else {
                let isTaken = errno == EADDRINUSE
                throw BootServiceError(
                    isTaken
                        ? "UDP port \(port) is taken on \(interface ?? address); `ss -ulpn sport = :\(port)` shows by whom"
                        : "cannot bind UDP \(address):\(port): \(words(errno))", isPortTaken: isTaken)
            }
        } catch {
            close(socket)
            throw error
        }
        return socket
    }

    /// ff02::1:2, to which clients and relays of a link speak (RFC 8415 §7.1).
    private static func joinServers(_ socket: Int32, _ interface: String) throws {
        guard let group = IPv6Address("ff02::1:2") else { return }
        // struct ipv6_mreq: address (16), index of the interface (4).
        var request = group.bytes
        withUnsafeBytes(of: if_nametoindex(interface)) { request += Array($0) }
        guard setsockopt(socket, Int32(IPPROTO_IPV6), IPV6_JOIN_GROUP, request, socklen_t(request.count)) == 0 else {
            throw BootServiceError(
                "cannot listen to \(group) on \(interface): \(words(errno)); has it an IPv6 address (`ip -6 address`)?")
        }
    }

    /// Room for a burst of a thousand machines; without CAP_NET_ADMIN what the system allows.
    static func enlargeBuffers(_ socket: Int32, bytes: Int32 = 4 << 20) {
        for (force, plain) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)] {
            if (try? set(socket, SOL_SOCKET, force, bytes)) == nil { try? set(socket, SOL_SOCKET, plain, bytes) }
        }
    }

    /// A channel that owns the socket and reads up to `atOnce` datagrams by one call.
    static func channel(
        _ socket: Int32, on loop: any EventLoop, atOnce: Int,
        handler: @escaping @Sendable () -> any ChannelInboundHandler
    ) async throws -> any Channel {
        try await DatagramBootstrap(group: loop)
            .channelOption(.datagramVectorReadMessageCount, value: atOnce > 1 ? atOnce : 0)
            // Answers leave between one batch and the next.
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: atOnce * 2048))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler())
                }
            }
            // The async form of withBoundSocket fails for every datagram channel (swift-nio 2.101).
            .withBoundSocket(socket).get()
    }

    /// Keeps a socket open until the task is cancelled: one that a dying link closed is opened again.
    /// - Parameters:
    ///   - service: for the log.
    ///   - atOnce: datagrams that the channel reads by one call; 1 where the handler takes the rest by itself.
    ///   - opened: told each time.
    /// - Throws: ``BootServiceError`` when it cannot be opened the first time.
    static func serve(
        _ service: String, address: String, port: Int, interface: String? = nil, bufferBytes: Int32 = 4 << 20,
        atOnce: Int = 32,
        on loop: any EventLoop, logger: Logger, opened: @Sendable (any Channel) -> Void,
        handler: @escaping @Sendable (_ descriptor: Int32) -> any ChannelInboundHandler
    ) async throws {
        let place: Logger.Metadata = ["service": "\(service)", "on": "\(interface ?? address)", "port": "\(port)"]
        var isFirst = true
        while true {
            do {
                let socket = try open(address: address, port: port, interface: interface)
                enlargeBuffers(socket, bytes: bufferBytes)
                let channel = try await channel(socket, on: loop, atOnce: atOnce) { handler(socket) }
                opened(channel)
                isFirst = false
                try await withTaskCancellationHandler {
                    try await channel.closeFuture.get()
                } onCancel: {
                    channel.close(promise: nil)
                }
                try Task.checkCancellation()
                logger.warning("a socket was closed, and is opened again", metadata: place)
            } catch let error as BootServiceError where !isFirst {
                logger.warning("no socket, will retry", metadata: place.merging(["error": "\(error)"]) { $1 })
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws {
        var value = value
        guard setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw BootServiceError("socket option \(option): \(words(errno))")
        }
    }

    private static func words(_ number: Int32) -> String { String(cString: strerror(number)) }
}

/// A boot service cannot start or go on.
public struct BootServiceError: Error, CustomStringConvertible {
    public let description: String

    /// Another program of this host has the port.
    let isPortTaken: Bool

    init(_ description: String, isPortTaken: Bool = false) {
        (self.description, self.isPortTaken) = (description, isPortTaken)
    }
}
