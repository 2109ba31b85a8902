import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// One connection to a BMC: HTTP/1.1 in TLS, one request at a time, kept for the next. Whoever opened it looks at the certificate before
/// it sends anything: the handshake proves that the peer has the certificate's key, and nothing else is decided here.
final class HTTPSConnection: Sendable {
    /// DER of the certificates as the BMC sent them, its own first.
    let chain: [[UInt8]]
    private let channel: any Channel
    private let limits: RedfishLimits

    private init(channel: any Channel, chain: [[UInt8]], limits: RedfishLimits) {
        (self.channel, self.chain, self.limits) = (channel, chain, limits)
    }

    /// TLS takes a while to close, and the channel is active until then.
    private let isEnding = Mutex(false)

    deinit { channel.close(promise: nil) }

    var isOpen: Bool { channel.isActive && !isEnding.withLock { $0 } }

    /// - Throws: ``HTTPSError``, or `CancellationError`.
    static func open(
        address: String, port: Int, limits: RedfishLimits, isCancellable: Bool = true
    ) async throws -> HTTPSConnection {
        var tls = TLSConfiguration.makeClientConfiguration()
        // Nothing of the host's store is believed; see `CertificateJudge`.
        tls.trustRoots = .certificates([])
        tls.certificateVerification = .noHostnameVerification
        tls.minimumTLSVersion = .tlsv12
        let shown = Shown()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let handshake = loop.makePromise(of: Void.self)
        let channel: any Channel
        do {
            let (remote, context) = (
                try SocketAddress(ipAddress: address, port: port), try NIOSSLContext(configuration: tls)
            )
            channel = try await ClientBootstrap(group: loop)
                .connectTimeout(TimeAmount(limits.connect))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handlers = channel.pipeline.syncOperations
                        try handlers.addHandler(
                            NIOSSLClientHandler(context: context, serverHostname: nil) { certificates, promise in
                                shown.chain.withLock { $0 = certificates.compactMap { try? $0.toDERBytes() } }
                                promise.succeed(.certificateVerified)
                            })
                        try handlers.addHandler(HandshakeWatch(handshake))
                        try handlers.addHTTPClientHandlers()
                        try handlers.addHandler(Exchanger(mostBytes: limits.body))
                    }
                }
                .connect(to: remote).get()
        } catch {
            handshake.fail(error)
            throw HTTPSError(connecting: error)
        }
        let timer = loop.scheduleTask(in: TimeAmount(limits.connect)) { handshake.fail(HTTPSError.silent) }
        defer { timer.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await handshake.futureResult.get()
            } onCancel: {
                if isCancellable { handshake.fail(HTTPSError.cut("cancelled")) }
            }
        } catch {
            channel.close(promise: nil)
            if Task.isCancelled, isCancellable { throw CancellationError() }
            throw error as? HTTPSError ?? .notTLS("\(error)")
        }
        return HTTPSConnection(channel: channel, chain: shown.chain.withLock { $0 }, limits: limits)
    }

    private final class Shown: Sendable { let chain = Mutex<[[UInt8]]>([]) }

    /// Sends a request and returns its answer.
    /// - Parameters:
    ///   - isCancellable: false for what is tidied up after a cancelled command.
    ///   - stream: takes the body as it comes, without end; the answer is only its head then.
    /// - Throws: ``HTTPSError``, or `CancellationError`.
    func exchange(
        _ request: HTTPSRequest, within limit: Duration? = nil, isCancellable: Bool = true,
        stream: AsyncThrowingStream<[UInt8], any Error>.Continuation? = nil
    ) async throws -> HTTPSAnswer {
        let promise = channel.eventLoop.makePromise(of: HTTPSAnswer.self)
        let call = Exchanger.Call(
            request: request, promise: promise, limit: TimeAmount(limit ?? limits.answer), stream: stream)
        // What the socket did not take whole, nobody has read whole.
        channel.writeAndFlush(call).whenFailure { promise.fail(HTTPSError.unsent("\($0)")) }
        do {
            let answer = try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                guard isCancellable else { return }
                promise.fail(HTTPSError.cut("cancelled"))
                close()
            }
            if !answer.isKept, stream == nil { close() }
            return answer
        } catch {
            if Task.isCancelled, isCancellable { throw CancellationError() }
            throw error
        }
    }

    func close() {
        isEnding.withLock { $0 = true }
        channel.close(promise: nil)
    }
}

/// Why there is no answer.
enum HTTPSError: Error, Equatable {
    /// Nothing listens, or the network does not lead there. Nothing was sent.
    case unreachable(String)
    /// Not in time.
    case silent
    /// What listens does not speak TLS, or none that we speak. Nothing was sent.
    case notTLS(String)
    /// The connection was gone before the request was out.
    case unsent(String)
    /// The connection ended before the answer did.
    case cut(String)
    /// The answer is longer than is read.
    case tooLong(Int)
    /// No HTTP.
    case nonsense(String)

    init(connecting error: any Error) {
        switch error {
        case let error as NIOConnectionError where error.connectionErrors.allSatisfy { $0.error is ChannelError }:
            self = .silent
        case ChannelError.connectTimeout: self = .silent
        case let error as IOError where error.errnoCode == 110: self = .silent
        case let error as HTTPSError: self = error
        case let error as IOError: self = .unreachable(Self.words(error.errnoCode))
        default: self = .unreachable("\(error)")
        }
    }

    private static func words(_ code: CInt) -> String {
        switch code {
        case 111: "nothing listens there"
        case 113: "no route to the host"
        case 101: "the network is unreachable"
        default: "error \(code) of the socket"
        }
    }
}

struct HTTPSRequest: Sendable {
    var method: HTTPMethod
    var path: String
    var headers: HTTPHeaders
    var body: [UInt8] = []
}

struct HTTPSAnswer: Sendable {
    var status: Int
    var headers: HTTPHeaders
    var body: [UInt8]
    /// The connection stays for the next request.
    var isKept: Bool
}

private final class HandshakeWatch: ChannelInboundHandler {
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
private final class Exchanger: ChannelDuplexHandler {
    struct Call: Sendable {
        var request: HTTPSRequest
        var promise: EventLoopPromise<HTTPSAnswer>
        var limit: TimeAmount
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
        let channel = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: call.limit) {
            bound.value.finish(throwing: .silent)
            channel.close(promise: nil)
        }
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
                timer?.cancel()
                call.promise.succeed(answer)
            }
        case .body(let buffer):
            if let stream = call.stream, answer?.status == 200 {
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
