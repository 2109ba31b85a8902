import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// A TLS connection to the daemon: one call at a time, and it ends by itself when no other follows.
struct DaemonConnection: Sendable {
    struct Request: Sendable {
        var head: HTTPRequestHead
        var body: ByteBuffer?
    }

    /// A connection that carried calls before ended, and this call's answer had not begun: the daemon may or may not have heard it.
    struct Ended: Error, CustomStringConvertible {
        var description: String { "the connection ended before the answer" }
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    struct Silence: Error, CustomStringConvertible {
        var seconds: Int64
        var description: String { "no answer within \(seconds) s" }
    }

    private static let longestAnswer = 16 << 20

    private let channel: any Channel
    private let calls: NIOLoopBound<CallHandler>

    var isActive: Bool { channel.isActive }

    func close() { channel.close(promise: nil) }

    /// The system has no trust store here to be loaded: the pin decides.
    private static let tls = Result {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates([])
        tls.certificateVerification = .noHostnameVerification
        return try NIOSSLContext(configuration: tls)
    }

    static func open(host: String, port: Int, pin: String, idleTime: TimeAmount) async throws -> DaemonConnection {
        let context = try tls.get()
        return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handlers = channel.pipeline.syncOperations
                    try handlers.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil) { certificates, promise in
                            let chain = certificates.compactMap { try? $0.toDERBytes() }
                            promise.succeed(CertificatePin.accepts(chain, pin: pin) ? .certificateVerified : .failed)
                        })
                    try handlers.addHTTPClientHandlers()
                    let calls = CallHandler(channel, idleTime: idleTime)
                    try handlers.addHandler(calls)
                    return DaemonConnection(
                        channel: channel, calls: NIOLoopBound(calls, eventLoop: channel.eventLoop))
                }
            }
    }

    /// - Returns: the answer, and whether another call may follow.
    /// - Throws: ``Ended`` when a connection that carried calls before ended without an answer, ``Silence`` after `timeout`.
    func ask(_ request: Request, timeout: TimeAmount) async throws -> (DaemonClient.Answer, isReusable: Bool) {
        let (channel, calls) = (channel, calls)
        return try await withTaskCancellationHandler {
            try await channel.eventLoop.flatSubmit { calls.value.begin(request, timeout: timeout) }.get()
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// Lives on the connection's event loop.
    private final class CallHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart

        private struct Call {
            var answer: EventLoopPromise<(DaemonClient.Answer, isReusable: Bool)>
            var deadline: Scheduled<Void>
            var head: HTTPResponseHead?
            var body = Data()
        }

        private let channel: any Channel
        private let idleTime: TimeAmount
        private var call: Call?
        private var idle: Scheduled<Void>?
        private var answered = 0
        /// Why it ended before a call began.
        private var failure: (any Error)?

        init(_ channel: any Channel, idleTime: TimeAmount) { (self.channel, self.idleTime) = (channel, idleTime) }

        func begin(
            _ request: Request, timeout: TimeAmount
        ) -> EventLoopFuture<(DaemonClient.Answer, isReusable: Bool)> {
            idle?.cancel()
            guard channel.isActive else { return channel.eventLoop.makeFailedFuture(failure ?? Ended()) }
            let answer = channel.eventLoop.makePromise(of: (DaemonClient.Answer, isReusable: Bool).self)
            // A server that goes silent must not hold the agent.
            let deadline = channel.eventLoop.assumeIsolated().scheduleTask(in: timeout) {
                self.fail(Silence(seconds: timeout.nanoseconds / 1_000_000_000))
            }
            call = Call(answer: answer, deadline: deadline)
            channel.write(HTTPClientRequestPart.head(request.head), promise: nil)
            if let body = request.body {
                channel.write(HTTPClientRequestPart.body(.byteBuffer(body)), promise: nil)
            }
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            return answer.futureResult
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): call?.head = head
            case .body(let buffer):
                guard (call?.body.count ?? 0) + buffer.readableBytes <= longestAnswer else {
                    return fail(Failure(description: "the answer is too long"))
                }
                call?.body.append(contentsOf: buffer.readableBytesView)
            case .end: succeed()
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            fail(Failure(description: "the connection ended before the answer did"))
            context.fireChannelInactive()
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error) }

        private func succeed() {
            // Nobody asked for it otherwise.
            guard let call = take(), let head = call.head else { return channel.close(promise: nil) }
            answered += 1
            let retryAfter = head.headers.first(name: "Retry-After").flatMap { Int($0) }
            idle = channel.eventLoop.assumeIsolated().scheduleTask(in: idleTime) { self.channel.close(promise: nil) }
            call.answer.succeed(
                (
                    DaemonClient.Answer(status: Int(head.status.code), body: call.body, retryAfter: retryAfter),
                    head.isKeepAlive && idleTime > .zero
                ))
        }

        private func fail(_ error: any Error) {
            idle?.cancel()
            if let call = take() {
                call.answer.fail(answered > 0 && call.head == nil && !(error is Silence) ? Ended() : error)
            } else if answered == 0, failure == nil {
                failure = error
            }
            // Last: it tells of an end, which is not the reason.
            channel.close(promise: nil)
        }

        private func take() -> Call? {
            defer { call = nil }
            call?.deadline.cancel()
            return call
        }
    }
}
