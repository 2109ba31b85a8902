import FoundationEssentials
import Logging
import Machines
import NIOCore
import NIOPosix
import NetworkAddresses
import ServiceLifecycle

/// Takes syslog of machines that boot: the agent and its kernel, an iPXE built with syslog, an installer of an operating system. What they
/// say stands in their boot traces, by the address it came from. Nothing is believed of it.
public struct SyslogReceiver: Service {
    private let address: String
    private let port: Int
    private let director: any NetworkBootDirector
    private let logger: Logger
    private let started: @Sendable (Int) -> Void

    /// Messages taken in a second, of all machines together.
    static let perSecond = 1000
    /// Of one address: a kernel says so much at once when it starts, and then less.
    static let burst = 2000
    static let perSecondOfOne = 100

    /// - Parameters:
    ///   - port: 514; 0 for a free one in tests.
    ///   - started: told the port once it is bound.
    public init(
        address: String, port: Int = 514, director: any NetworkBootDirector, logger: Logger,
        started: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        (self.address, self.port, self.director, self.logger) = (address, port, director, logger)
        self.started = started
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let director = director
            try await DatagramSocket.serve(
                "syslog", address: address, port: port, bufferBytes: 1 << 20,
                on: MultiThreadedEventLoopGroup.singleton.next(), logger: logger,
                opened: { channel in
                    let bound = channel.localAddress?.port ?? port
                    logger.info("syslog", metadata: ["address": "\(address)", "port": "\(bound)"])
                    started(bound)
                }
            ) { _ in Handler(director: director) }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        private let director: any NetworkBootDirector
        private var second = NIODeadline.now()
        private var buckets = TokenBuckets<NetworkAddresses.IPv4Address>(
            rate: Float(SyslogReceiver.perSecondOfOne), burst: Float(SyslogReceiver.burst))
        private var taken = 0

        init(director: any NetworkBootDirector) { self.director = director }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let now = NIODeadline.now()
            if now - second > .seconds(1) { (second, taken) = (now, 0) }
            let envelope = unwrapInboundIn(data)
            // Traces know addresses of IPv4 only. One that says too much takes nothing from the others.
            guard let source = envelope.remoteAddress.ipv4, buckets.admit(source, now: Date()) else { return }
            taken += 1
            guard taken <= SyslogReceiver.perSecond else { return }
            let message = SyslogMessage(envelope.data.readableBytesView)
            guard !message.text.isEmpty else { return }
            director.record(BootTraceEvent(address: source, step: .console(message.text)))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }
}
