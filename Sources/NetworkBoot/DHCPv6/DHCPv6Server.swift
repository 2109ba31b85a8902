import FoundationEssentials
import Logging
import Machines
import NIOCore
import NIOPosix
import NetworkAddresses
import ServiceLifecycle

/// Serves DHCPv6 for network boot, on interfaces and through relays.
public struct DHCPv6Server: Service {
    private let responders: [DHCPv6Responder]
    private let port: Int
    private let packetsPerSecond: Int
    private let director: any NetworkBootDirector
    private let logger: Logger
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - identifier: 16 bytes that tell this installation from others, the same after a restart: its DUID-UUID (RFC 6355).
    ///   - packetsPerSecond: of one MAC, in the long run; 0: no limit.
    public init(
        _ networks: [DHCPv6Network], files: BootFiles, tftpPort: Int = 69, identifier: [UInt8], port: Int = 547,
        packetsPerSecond: Int = 5, director: any NetworkBootDirector, logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        responders = networks.map {
            DHCPv6Responder($0, files: files, tftpPort: tftpPort, identifier: [0, 4] + identifier.prefix(16))
        }
        (self.port, self.packetsPerSecond, self.director) = (port, packetsPerSecond, director)
        (self.logger, self.now) = (logger, now)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let (responders, director, logger, now) = (responders, director, logger, now)
            let buckets = TokenBuckets<MACAddress>(rate: Float(packetsPerSecond))
            let desk = try await loop.submit {
                NIOLoopBound(
                    DHCPv6Desk(responders, buckets: buckets, director: director, logger: logger, now: now),
                    eventLoop: loop)
            }.get()
            let named = Set(responders.compactMap(\.network.interface)).sorted()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for interface in named.isEmpty ? [nil] : named.map(Optional.some) {
                    group.addTask {
                        try await DatagramSocket.serve(
                            "DHCPv6", address: "::", port: port, interface: interface, on: loop, logger: logger,
                            opened: { _ in
                                let networks = responders.filter { $0.network.interface == interface }.map {
                                    responder in
                                    "\(responder.network.name) \(responder.network.mode.rawValue)"
                                }
                                logger.info(
                                    "DHCPv6 listens",
                                    metadata: [
                                        "interface": "\(interface ?? "all")",
                                        "networks": "\(networks.joined(separator: ", "))",
                                    ])
                            }
                        ) { _ in Handler(desk: desk.value, interface: interface) }
                    }
                }
                // The first error ends all; `waitForAll` would wait for those that never end.
                while try await group.next() != nil {}
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        private let desk: DHCPv6Desk
        private let interface: String?

        init(desk: DHCPv6Desk, interface: String?) { (self.desk, self.interface) = (desk, interface) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            var peer = envelope.remoteAddress
            guard let source = peer.ipv6,
                let answer = desk.take(Array(envelope.data.readableBytesView), from: source, interface: interface)
            else { return }
            // RFC 8415 §7.2: clients listen on 546, relays on 547, wherever they asked from.
            peer.port = answer.toRelay ? 547 : 546
            let bytes = context.channel.allocator.buffer(bytes: answer.datagram)
            context.writeAndFlush(wrapOutboundOut(AddressedEnvelope(remoteAddress: peer, data: bytes)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }
}
