import CoreMetrics
import Machines
import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS
import NetworkAddresses

/// One connection of the boot HTTP server: its requests one after another, however many came at once. Behind the decoder and nothing
/// else, since a thousand machines that ask for their scripts pay for every handler twice.
final class BootHTTPHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = IOData

    /// How long a connection may do nothing.
    struct Patience {
        /// Between two requests.
        var idle: TimeAmount
        /// From a request's first bytes to its end: a byte now and then would hold a connection for ever.
        var request: TimeAmount
    }

    enum Answering {
        /// Looking for a file.
        case looking
        case sending(FileSending)
        /// A few bytes, in one piece.
        case writing(since: NIODeadline)
    }

    let content: BootContent
    let flushes: LaterFlushes
    private let patience: Patience
    let isTLS: Bool
    /// There is no handshake, it is over, or why it failed was told.
    private var isAgreed: Bool
    var client: IPv4Address?
    /// Told by the address.
    var mac: MACAddress?
    private var watch: RepeatedTask?

    private var request: HTTPRequestHead?
    private var bodyBytes = 0
    /// Requests that came while another one is answered. No more is read then, so they are what fits into one read.
    private var waiting = CircularBuffer<HTTPRequestHead>()
    var answering: Answering?
    private var isReadHeld = false
    /// The last answer said so.
    var isClosing = false
    /// What came after the requests that wait is no request.
    private var isUnreadable = false
    /// Something moved.
    var movedAt = NIODeadline.now()
    /// A request began, and is not whole.
    private var begunAt: NIODeadline?
    /// A request did, with the bytes that were read last.
    private var hasEnded = false

    /// Longest request target and, together, headers.
    static let maximumTarget = 2048
    static let maximumHeaderBytes = 16 << 10

    init(content: BootContent, patience: Patience, isTLS: Bool, flushes: LaterFlushes) {
        (self.content, self.patience, self.isTLS, self.flushes) = (content, patience, isTLS, flushes)
        isAgreed = !isTLS
    }

    // MARK: TLS

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { isAgreed = true }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        noteDisagreement(BoringSSLError.brokenOff)
        context.fireChannelInactive()
    }

    private func noteDisagreement(_ reason: String) {
        guard !isAgreed else { return }
        isAgreed = true
        content.director.record(BootTraceEvent(mac: mac, address: client, step: .trouble(.tls(reason: reason))))
    }

    // MARK: The connection

    func handlerAdded(context: ChannelHandlerContext) {
        (client, mac) = (context.remoteAddress?.ipv4, context.remoteAddress?.traceMAC)
        let look = TimeAmount.nanoseconds(min(patience.idle, patience.request).nanoseconds / 4)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        watch = context.eventLoop.scheduleRepeatedTask(initialDelay: look, delay: look) { _ in
            let (handler, context) = bound.value
            if handler.isOverdue(.now()) { context.close(promise: nil) }
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { watch?.cancel() }

    private func isOverdue(_ now: NIODeadline) -> Bool {
        switch answering {
        case .looking: false
        case .writing(let since): now - since > FileSending.piecePatience
        case .sending(let file): now - file.progressAt > FileSending.piecePatience
        case nil: begunAt.map { now - $0 > patience.request } ?? (now - movedAt > patience.idle)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // Read all the same: what lies unread when a connection closes takes the last answer with it.
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            request = head
            bodyBytes = 0
        case .body(let buffer):
            // Nothing here takes a body; a long one is somebody's mistake or worse.
            bodyBytes += buffer.readableBytes
            if bodyBytes > Self.maximumHeaderBytes { context.close(promise: nil) }
        case .end:
            guard let head = request else { return }
            (request, begunAt, hasEnded, movedAt) = (nil, nil, true, .now())
            waiting.append(head)
            answerNext(context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if !hasEnded, begunAt == nil, answering == nil { begunAt = .now() }
        hasEnded = false
        context.fireChannelReadComplete()
    }

    /// What comes while an answer is on its way can wait in the kernel; so can who asks and does not read.
    func read(context: ChannelHandlerContext) {
        if mayAnswer(context) || isClosing && answering == nil { context.read() } else { isReadHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answerNext(context)
        context.fireChannelWritabilityChanged()
    }

    private func mayAnswer(_ context: ChannelHandlerContext) -> Bool {
        answering == nil && !isClosing && context.channel.isWritable
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        BootMetrics.httpErrors.increment()
        if case .handshakeFailed(let failure)? = error as? NIOSSLError { noteDisagreement(failure.words) }
        guard error is HTTPParserError else { return context.close(promise: nil) }
        // What was asked before is answered first; behind a request that closes the connection anything may follow.
        isUnreadable = true
        answerNext(context)
    }

    /// Goes on with what waits, when it may.
    func answerNext(_ context: ChannelHandlerContext) {
        while mayAnswer(context), let head = waiting.popFirst() { answer(head, context) }
        guard mayAnswer(context), waiting.isEmpty else { return }
        if isUnreadable {
            refuse(.badRequest, "this is no HTTP request", context)
        } else if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }
}
