import HummingbirdCore
import Logging
import NIOCore
import NIOTLS
import NetworkAddresses
import Synchronization

/// Keeps who only holds connections from keeping others out: so many of one address, and a handshake in time. Its place is in a
/// `TLSChannel`.
struct GuardedChannel<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let connections: ConnectionCount
    let refusals: RefusalLog
    /// From the connection to the end of its TLS handshake.
    let patience: TimeAmount

    struct Refusal: Error, CustomStringConvertible {
        var description: String { "too many connections of one address" }
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        let address = channel.remoteAddress?.ipAddress ?? ""
        guard connections.admit(address) else {
            refusals.note(address, logger)
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

/// Tells of refused connections, once a minute: who is refused comes again at once.
final class RefusalLog: Sendable {
    private let last = Mutex<NIODeadline?>(nil)

    func note(_ address: String, _ logger: Logger) {
        let now = NIODeadline.now()
        let isDue = last.withLock { last in
            if let former = last, now - former < .minutes(1) { return false }
            last = now
            return true
        }
        guard isDue else { return }
        logger.warning(
            "too many connections of one address to the API, more are closed; api_connections_per_address allows more where it is a NAT's",
            metadata: ["address": "\(address)"])
    }
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
