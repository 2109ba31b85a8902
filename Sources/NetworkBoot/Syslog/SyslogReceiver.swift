import FoundationEssentials
import Logging
import Machines
import NIOCore
import NIOPosix
import ServiceLifecycle

/// Takes syslog of machines that boot: the agent and its kernel, an iPXE built with syslog, switches of an installer. What they say
/// stands in their boot traces, by the address it came from. Nothing is believed of it.
public struct SyslogReceiver: Service {
    private let address: String
    private let port: Int
    private let director: any NetworkBootDirector
    private let logger: Logger
    private let started: @Sendable (Int) -> Void

    /// Messages taken in a second, of all machines together.
    static let perSecond = 1000

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
            let socket = try DatagramSocket.open(address: address, port: port)
            DatagramSocket.enlargeBuffers(socket, bytes: 1 << 20)
            let channel = try await DatagramSocket.channel(socket, on: MultiThreadedEventLoopGroup.singleton.next()) {
                Handler(director: director)
            }
            logger.info("syslog", metadata: ["address": "\(address)", "port": "\(channel.localAddress?.port ?? port)"])
            started(channel.localAddress?.port ?? port)
            try await withTaskCancellationHandler {
                try await channel.closeFuture.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        private let director: any NetworkBootDirector
        private var second = NIODeadline.now()
        private var taken = 0

        init(director: any NetworkBootDirector) { self.director = director }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let now = NIODeadline.now()
            if now - second > .seconds(1) { (second, taken) = (now, 0) }
            taken += 1
            guard taken <= SyslogReceiver.perSecond else { return }
            let envelope = unwrapInboundIn(data)
            let message = SyslogMessage(envelope.data.readableBytesView)
            guard !message.text.isEmpty else { return }
            director.record(BootTraceEvent(address: envelope.remoteAddress.ipv4, step: .console(message.text)))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {}
    }
}
