import NIOCore
import NIOPosix
import Synchronization

/// A simulated BMC on a UDP port of the loopback interface.
public final class SimulatedBMCServer: Sendable {
    private let state: Mutex<SimulatedBMC>
    private let channel: Mutex<any Channel>
    private let start = ContinuousClock().now

    /// Serves for the time of `body`.
    /// - Parameter port: 0 for a free one.
    public static func with<Result>(
        _ bmc: SimulatedBMC, address: String = "127.0.0.1", port: Int = 0,
        _ body: (SimulatedBMCServer) async throws -> Result
    ) async throws -> Result {
        let server = try await SimulatedBMCServer(bmc, address, port)
        do {
            let result = try await body(server)
            try await server.open.close()
            return result
        } catch {
            try? await server.open.close()
            throw error
        }
    }

    private init(_ bmc: SimulatedBMC, _ address: String, _ port: Int) async throws {
        let handler = Handler()
        let channel = try await Self.bind(handler, address, port)
        var bmc = bmc
        bmc.console.port = UInt16(clamping: channel.localAddress?.port ?? 623)
        state = Mutex(bmc)
        self.channel = Mutex(channel)
        handler.server.withLock { $0 = self }
    }

    private static func bind(_ handler: Handler, _ address: String, _ port: Int) async throws -> any Channel {
        try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(handler) }
            .bind(host: address, port: port).get()
    }

    private var open: any Channel { channel.withLock { $0 } }

    public var port: Int { open.localAddress?.port ?? 0 }

    /// Answers at another address from now on, and not at the one of before.
    public func move(to address: String) async throws {
        let handler = Handler()
        handler.server.withLock { $0 = self }
        let next = try await Self.bind(handler, address, port)
        let former = channel.withLock { channel in
            defer { channel = next }
            return channel
        }
        try await former.close()
    }

    /// The BMC as it is now.
    public var bmc: SimulatedBMC { state.withLock { $0 } }

    public func change(_ body: @Sendable (inout SimulatedBMC) -> Void) { state.withLock { body(&$0) } }

    /// A datagram and when it leaves, in seconds from now.
    private typealias Departure = (datagram: [UInt8], delay: Double)

    /// What the network and the BMC's processor make of the answers.
    private func answers(_ body: (inout SimulatedBMC) -> [[UInt8]]) -> [Departure] {
        state.withLock { bmc in
            let passed = ContinuousClock().now - start
            bmc.now = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
            var departures: [Departure] = []
            for datagram in body(&bmc) {
                if bmc.dice.falls(bmc.quirks.drops) { continue }
                let delay = bmc.dice.falls(bmc.quirks.late) ? bmc.quirks.lateness : 0
                departures.append((datagram, delay))
                if bmc.dice.falls(bmc.quirks.duplicates) { departures.append((datagram, delay)) }
            }
            return departures
        }
    }

    /// A request may get lost, too.
    private func isLost() -> Bool { state.withLock { $0.dice.falls($0.quirks.drops) } }

    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        let server = Mutex<SimulatedBMCServer?>(nil)
        /// Whose sessions are whose, by the console's number (bytes 6 to 9 of a datagram to it).
        private let peers = Mutex<[[UInt8]: SocketAddress]>([:])

        func channelActive(context: ChannelHandlerContext) {
            let channel = context.channel
            context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(50)) { task in
                guard channel.isActive else { return task.cancel() }
                guard let server = self.server.withLock({ $0 }) else { return }
                self.send(server.answers { $0.due() }, to: nil, channel)
            }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            guard let server = server.withLock({ $0 }), !server.isLost() else { return }
            let datagram = Array(envelope.data.readableBytesView)
            // Open Session Request: the console's number is behind tag, privilege and two reserved bytes.
            if datagram.count >= 24, datagram[4] == 6, datagram[5] == 0x10 {
                peers.withLock { $0[Array(datagram[20..<24])] = envelope.remoteAddress }
            }
            send(server.answers { $0.receive(datagram) }, to: envelope.remoteAddress, context.channel)
        }

        private func send(_ departures: [Departure], to asker: SocketAddress?, _ channel: any Channel) {
            for (datagram, delay) in departures {
                let session = datagram.count >= 10 && datagram[4] == 6 ? Array(datagram[6..<10]) : []
                guard let peer = peers.withLock({ $0[session] }) ?? asker else { continue }
                let reply = AddressedEnvelope(remoteAddress: peer, data: ByteBuffer(bytes: datagram))
                if delay == 0 {
                    channel.writeAndFlush(reply, promise: nil)
                } else {
                    channel.eventLoop.scheduleTask(in: .milliseconds(Int64(delay * 1000))) {
                        channel.writeAndFlush(reply, promise: nil)
                    }
                }
            }
        }

        func channelInactive(context: ChannelHandlerContext) { server.withLock { $0 = nil } }
    }
}
