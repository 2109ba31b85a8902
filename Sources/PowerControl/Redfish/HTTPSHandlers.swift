import NIOCore
import NIOHTTP1
import NIOTLS

final class HandshakeWatch: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private let promise: EventLoopPromise<Void>

    init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { promise.succeed() }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        promise.fail(HTTPSError.notTLS("\(error)"))
        context.fireErrorCaught(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(HTTPSError.cut("the connection ended in the TLS handshake"))
        context.fireChannelInactive()
    }
}

/// Turns a request into its parts and the parts of the answer into one.
final class Exchanger: ChannelDuplexHandler {
    struct Call: Sendable {
        var request: HTTPSRequest
        var promise: EventLoopPromise<HTTPSAnswer>
        var limit: TimeAmount
        /// Between two parts of a stream.
        var idle: TimeAmount
        var stream: AsyncThrowingStream<[UInt8], any Error>.Continuation?
    }

    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Call
    typealias OutboundOut = HTTPClientRequestPart

    private let mostBytes: Int
    private var call: Call?
    private var timer: Scheduled<Void>?
    private var answer: HTTPSAnswer?

    init(mostBytes: Int) { self.mostBytes = mostBytes }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let call = unwrapOutboundIn(data)
        guard self.call == nil, context.channel.isActive else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        self.call = call
        start(call.limit, context)
        let head = HTTPRequestHead(
            version: .http1_1, method: call.request.method, uri: call.request.path, headers: call.request.headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !call.request.body.isEmpty {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: call.request.body)))), promise: nil)
        }
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let call else { return context.close(promise: nil) }
        switch unwrapInboundIn(data) {
        case .head(let head):
            answer = HTTPSAnswer(
                status: Int(head.status.code), headers: head.headers, body: [], isKept: head.isKeepAlive)
            if call.stream != nil, head.status == .ok, let answer {
                start(call.idle, context)
                call.promise.succeed(answer)
            }
        case .body(let buffer):
            if let stream = call.stream, answer?.status == 200 {
                start(call.idle, context)
                if case .dropped = stream.yield(Array(buffer.readableBytesView)) { context.close(promise: nil) }
                return
            }
            guard (answer?.body.count ?? 0) + buffer.readableBytes <= mostBytes else {
                finish(throwing: .tooLong(mostBytes))
                return context.close(promise: nil)
            }
            answer?.body += buffer.readableBytesView
        case .end:
            timer?.cancel()
            self.call = nil
            if let answer { call.promise.succeed(answer) }
            call.stream?.finish()
            answer = nil
        }
    }

    /// Until then something has to come.
    private func start(_ limit: TimeAmount, _ context: ChannelHandlerContext) {
        timer?.cancel()
        let channel = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: limit) {
            bound.value.finish(throwing: .silent)
            channel.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // The end of the connection in the middle of an answer is an error of the parser too.
        let isHTTP = (error as? HTTPParserError).map { $0 != .invalidEOFState } ?? false
        finish(throwing: isHTTP ? .nonsense("it does not speak HTTP: \(error)") : .cut("\(error)"))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(throwing: .cut("the connection ended before the answer did"))
        context.fireChannelInactive()
    }

    private func finish(throwing error: HTTPSError) {
        timer?.cancel()
        call?.promise.fail(error)
        call?.stream?.finish(throwing: error)
        (call, answer) = (nil, nil)
    }
}
