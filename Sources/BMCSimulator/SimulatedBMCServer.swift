import NIOCore
import NIOPosix
import Synchronization

/// A simulated BMC on a UDP port of the loopback interface.
public final class SimulatedBMCServer: Sendable {
    private let state: Mutex<SimulatedBMC>
    private let channel: any Channel

    /// Serves for the time of `body`.
    public static func with<Result>(_ bmc: SimulatedBMC, _ body: (SimulatedBMCServer) async throws -> Result)
        async throws -> Result
    {
        let server = try await SimulatedBMCServer(bmc)
        do {
            let result = try await body(server)
            try await server.channel.close()
            return result
        } catch {
            try? await server.channel.close()
            throw error
        }
    }

    private init(_ bmc: SimulatedBMC) async throws {
        let handler = Handler()
        channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(handler) }
            .bind(host: "127.0.0.1", port: 0).get()
        state = Mutex(bmc)
        handler.server.withLock { $0 = self }
    }

    public var port: Int { channel.localAddress?.port ?? 0 }

    /// The BMC as it is now.
    public var bmc: SimulatedBMC { state.withLock { $0 } }

    public func change(_ body: @Sendable (inout SimulatedBMC) -> Void) { state.withLock { body(&$0) } }

    private final class Handler: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        let server = Mutex<SimulatedBMCServer?>(nil)

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            let server = server.withLock { $0 }
            let answer = server?.state.withLock { $0.receive(Array(envelope.data.readableBytesView)) }
            guard let answer = answer ?? nil else { return }
            let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: answer))
            context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) { server.withLock { $0 = nil } }
    }
}
