import NIOCore

/// Cuts off who begins a request and does not end it: a connection that says a byte now and then would be held for ever, and with
/// it one of those that there are.
final class RequestDeadline: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let patience: TimeAmount
    private var timer: Scheduled<Void>?
    /// A file is on its way out. Whatever came in meanwhile, such as the next request, is not read before that ends.
    var isSending = false

    init(patience: TimeAmount) { self.patience = patience }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if timer == nil { wait(context.channel) }
        context.fireChannelRead(data)
    }

    private func wait(_ channel: any Channel) {
        timer = channel.eventLoop.assumeIsolated().scheduleTask(in: patience) {
            guard self.isSending else { return channel.close(promise: nil) }
            self.wait(channel)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        requestEnded()
        context.fireChannelInactive()
    }

    /// The whole request is there; the next bytes are of another one.
    func requestEnded() {
        timer?.cancel()
        timer = nil
    }
}
