import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
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
            request: request, promise: promise, limit: TimeAmount(limit ?? limits.answer),
            idle: TimeAmount(limits.idle), stream: stream)
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
