import HummingbirdCore
import Logging
import NIOCore
import NIOTLS
import NetworkAddresses

/// Keeps who only holds connections from keeping others out: so many of one address, and a handshake in time. Its place is in a
/// `TLSChannel`.
struct GuardedChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let connections: ConnectionCount
    /// From the connection to the end of its TLS handshake.
    let patience: TimeAmount

    struct Refusal: Error, CustomStringConvertible {
        var description: String { "too many connections of one address" }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        let address = channel.remoteAddress?.ipAddress ?? ""
        guard connections.admit(address) else {
            // The server leaves that to us.
            channel.close(promise: nil)
            return channel.eventLoop.makeFailedFuture(Refusal())
        }
        channel.closeFuture.whenComplete { _ in connections.release(address) }
        do {
            try channel.pipeline.syncOperations.addHandler(HandshakeDeadline(patience))
        } catch {
            return channel.eventLoop.makeFailedFuture(error)
        }
        return base.setup(channel: channel, logger: logger)
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Closes a connection whose TLS handshake takes too long.
private final class HandshakeDeadline: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?

    init(_ patience: TimeAmount) { self.patience = patience }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: patience) { context.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}
