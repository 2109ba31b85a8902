import NIOCore
import NIOPosix
import NetworkAddresses
import Synchronization

/// Between the machines of a process and the daemon: what a machine sends to its own address goes on to the daemon from there, so that every
/// machine calls from an address of its own. Loses answers by dice.
final class LossyWire: Sendable {
    private let daemon: SocketAddress
    private let port: Int
    /// By address of the machine: what becomes of its next request.
    private let fates = Mutex<[String: @Sendable () -> Fate]>([:])

    enum Fate: Sendable {
        case whole, losesAnswer
        /// The machine has no power.
        case dead
    }

    init(daemon: NetworkAddresses.IPv4Address, daemonPort: Int, port: Int) throws {
        self.daemon = try SocketAddress(ipAddress: "\(daemon)", port: daemonPort)
        self.port = port
    }

    func plug(_ address: NetworkAddresses.IPv4Address, _ fate: @escaping @Sendable () -> Fate) {
        fates.withLock { $0["\(address)"] = fate }
    }

    func open() async throws {
        _ = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { [self] channel in
                let loop = channel.eventLoop
                guard let own = channel.localAddress?.ipAddress,
                    let source = try? SocketAddress(ipAddress: own, port: 0),
                    let fate = fates.withLock({ $0[own] }), fate() != .dead
                else { return loop.makeFailedFuture(ChannelError.ioOnClosedChannel) }
                return ClientBootstrap(group: loop).bind(to: source).connectTimeout(.seconds(5)).connect(to: daemon)
                    .flatMapThrowing { upstream in
                        let flights = Flights(fate)
                        try channel.pipeline.syncOperations.addHandler(
                            Ferry(to: upstream, flights, isFromMachine: true))
                        try upstream.pipeline.syncOperations.addHandler(
                            Ferry(to: channel, flights, isFromMachine: false))
                    }
            }
            .bind(host: "0.0.0.0", port: port).get()
    }

    /// What one connection has carried. Lives on its event loop.
    private final class Flights {
        private let draw: @Sendable () -> Fate
        private var fromMachine = 0
        private var isMachinesTurn = false
        /// Until the machine closes the connection.
        private(set) var losesAnswers = false

        init(_ draw: @escaping @Sendable () -> Fate) { self.draw = draw }

        /// TLS 1.3: the machine's second flight ends the handshake and begins the request; what comes back from then on is the answer.
        /// Dice are thrown for each request.
        func noteMachine() {
            guard !isMachinesTurn else { return }
            isMachinesTurn = true
            fromMachine += 1
            if fromMachine >= 2, draw() == .losesAnswer { losesAnswers = true }
        }

        func noteDaemon() { isMachinesTurn = false }
    }

    private final class Ferry: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let partner: any Channel
        private let flights: Flights
        private let isFromMachine: Bool

        init(to partner: any Channel, _ flights: Flights, isFromMachine: Bool) {
            (self.partner, self.flights, self.isFromMachine) = (partner, flights, isFromMachine)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if isFromMachine {
                flights.noteMachine()
            } else {
                flights.noteDaemon()
                if flights.losesAnswers { return }
            }
            partner.write(unwrapInboundIn(data), promise: nil)
        }

        func channelReadComplete(context: ChannelHandlerContext) { partner.flush() }
        func channelInactive(context: ChannelHandlerContext) { partner.close(promise: nil) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
