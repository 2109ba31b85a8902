import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Ends the connection of a request that asks for another protocol (RFC 9110 §7.8: a server may ignore that, and answer as if it
/// had not been asked) or for a tunnel. NIO's decoder keeps what follows such a request for the protocol to come, without bound, and
/// none comes here.
final class UpgradeRefusal: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var isAsked = false
    private var isLast = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let request): isAsked = request.method == .connect || request.headerFields[.upgrade] != nil
        case .body: break
        // Its body, if any, was read; what follows is not.
        case .end: isLast = isAsked
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        if !isLast { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard isAsked else { return context.write(data, promise: promise) }
        switch unwrapOutboundIn(data) {
        case .head(var answer):
            answer.headerFields[.connection] = "close"
            context.write(wrapOutboundOut(.head(answer)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            let promise = promise ?? context.eventLoop.makePromise()
            promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            context.write(data, promise: promise)
        }
    }
}
