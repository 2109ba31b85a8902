import NIOCore

/// Cuts connections. The server itself asks its client to close, and waits for the answer of one that never had a mind to.
enum Lifetime {
    /// - Parameters:
    ///   - silence: without a byte of the client's.
    ///   - age: whatever it does.
    static func bound(_ channel: any Channel, silence: Duration, age: Duration) -> EventLoopFuture<Void> {
        let end = channel.eventLoop.scheduleTask(in: TimeAmount(age)) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in end.cancel() }
        return channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandlers(
                [IdleStateHandler(readTimeout: TimeAmount(silence)), Cut()], position: .first)
        }
    }

    private final class Cut: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            guard event is IdleStateHandler.IdleStateEvent else { return context.fireUserInboundEventTriggered(event) }
            context.close(promise: nil)
        }
    }
}
