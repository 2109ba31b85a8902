import CoreMetrics
import Machines
import NIOCore
import NIOHTTP1
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

    private enum Answering {
        /// Looking for a file.
        case looking
        case sending(FileSending)
    }

    private let content: BootContent
    private let flushes: LaterFlushes
    private let patience: Patience
    private let isTLS: Bool
    private var client: IPv4Address?
    /// Told by the address.
    private var mac: MACAddress?
    private var watch: RepeatedTask?

    private var request: HTTPRequestHead?
    private var bodyBytes = 0
    /// Requests that came while another one is answered. No more is read then, so they are what fits into one read.
    private var waiting = CircularBuffer<HTTPRequestHead>()
    private var answering: Answering?
    private var isReadHeld = false
    /// The last answer said so.
    private var isClosing = false
    /// What came after the requests that wait is no request.
    private var isUnreadable = false
    /// Something moved.
    private var movedAt = NIODeadline.now()
    /// A request began, and is not whole.
    private var begunAt: NIODeadline?
    /// A request did, with the bytes that were read last.
    private var hasEnded = false

    /// Longest request target and, together, headers.
    static let maximumTarget = 2048
    static let maximumHeaderBytes = 16 << 10

    init(content: BootContent, patience: Patience, isTLS: Bool, flushes: LaterFlushes) {
        (self.content, self.patience, self.isTLS, self.flushes) = (content, patience, isTLS, flushes)
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
        case .sending(let file): now - file.progressAt > FileSending.piecePatience
        case nil: begunAt.map { now - $0 > patience.request } ?? (now - movedAt > patience.idle)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
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
        if mayAnswer(context) { context.read() } else { isReadHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        answerNext(context)
        context.fireChannelWritabilityChanged()
    }

    private func mayAnswer(_ context: ChannelHandlerContext) -> Bool { answering == nil && context.channel.isWritable }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        BootMetrics.httpErrors.increment()
        guard error is HTTPParserError else { return context.close(promise: nil) }
        // What was asked before is answered first; behind a request that closes the connection anything may follow.
        isUnreadable = true
        answerNext(context)
    }

    // MARK: Answers

    private func answerNext(_ context: ChannelHandlerContext) {
        while mayAnswer(context), !isClosing, let head = waiting.popFirst() { answer(head, context) }
        guard mayAnswer(context), waiting.isEmpty else { return }
        if isUnreadable {
            if !isClosing { refuse(.badRequest, "this is no HTTP request", context) }
        } else if isReadHeld {
            isReadHeld = false
            context.read()
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let headerBytes = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        guard head.uri.utf8.count <= Self.maximumTarget, headerBytes <= Self.maximumHeaderBytes else {
            return refuse(.uriTooLong, "the request is too long", context)
        }
        guard head.method == .GET || head.method == .HEAD else {
            return refuse(.methodNotAllowed, "this server is read-only", context)
        }
        let request = BootRequest(target: head.uri, client: client)
        switch content.made(request, isHead: head.method == .HEAD) {
        case .text(let text): reply(text, to: head, context)
        case .file(let file): send(file, to: head, context)
        case .nothing: missing(head, context)
        case nil: look(for: request, head, context)
        }
    }

    private func look(for request: BootRequest, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        answering = .looking
        let file = context.eventLoop.makePromise(of: OpenFile?.self)
        let content = content
        file.completeWithTask { await content.file(request) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        file.futureResult.whenSuccess { file in
            let (handler, context) = bound.value
            handler.answering = nil
            if let file { handler.send(file, to: head, context) } else { handler.missing(head, context) }
            handler.answerNext(context)
        }
    }

    private func reply(_ text: String, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        var answer = begin(.ok, head, context, bodyBytes: text.utf8.count)
        answer.add("Content-Length", "\(text.utf8.count)")
        answer.add("Content-Type", "text/plain; charset=utf-8")
        end(answer.ended(body: head.method == .HEAD ? "" : text), context)
    }

    private func missing(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        content.director.record(
            BootTraceEvent(mac: mac, address: client, step: .trouble(.missing(.http, head.uri))))
        refuse(.notFound, "no such file", context, isHead: head.method == .HEAD)
    }

    /// Says no, with a body, and closes the connection: shim over EDK2's HTTP reads on after an error until there is an end to
    /// the connection, a minute for each of its optional files.
    private func refuse(
        _ status: HTTPResponseStatus, _ why: String, _ context: ChannelHandlerContext, isHead: Bool = false
    ) {
        isClosing = true
        var answer = ResponseHead(status, isKeepAlive: false, allocator: context.channel.allocator)
        answer.add("Content-Length", "\(why.utf8.count + 1)")
        answer.add("Content-Type", "text/plain; charset=utf-8")
        if status == .methodNotAllowed { answer.add("Allow", "GET, HEAD") }
        end(answer.ended(body: isHead ? "" : why + "\n"), context)
    }

    private func send(_ file: OpenFile, to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let tag = "\"\(file.inode)-\(file.size)-\(file.modified)\""
        let range: Range<Int64>
        var answer: ResponseHead
        switch FileAnswer(tag: tag, size: file.size, header: { head.headers.first(name: $0) }) {
        case .notModified:
            answer = begin(.notModified, head, context)
            range = 0..<0
        case .range(.unsatisfiable):
            answer = begin(.rangeNotSatisfiable, head, context)
            answer.add("Content-Range", "bytes */\(file.size)")
            answer.add("Content-Length", "0")
            range = 0..<0
        case .range(.whole):
            answer = begin(.ok, head, context)
            answer.add("Content-Length", "\(file.size)")
            range = 0..<file.size
        case .range(.part(let part)):
            answer = begin(.partialContent, head, context)
            answer.add("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.size)")
            answer.add("Content-Length", "\(part.count)")
            range = part
        }
        answer.add("Content-Type", "application/octet-stream")
        answer.add("Accept-Ranges", "bytes")
        answer.add("ETag", tag)
        guard head.method == .GET, !range.isEmpty else { return end(answer.ended(), context) }
        guard let sending = try? FileSending(file, range, isTLS: isTLS, on: context) else {
            return context.close(promise: nil)
        }
        answering = .sending(sending)
        let path = head.uri.split(separator: "?").first.map(String.init) ?? "/"
        let note = TransferNote(director: content.director, mac: mac, address: client, path: path, bytes: range.count)
        note.begun()
        context.write(wrapOutboundOut(.byteBuffer(answer.ended())), promise: nil)
        sending.begin { result in
            note.ended(result)
            self.answering = nil
            self.movedAt = .now()
            guard case .success = result, !self.isClosing else { return context.close(promise: nil) }
            self.answerNext(context)
        }
    }

    private func begin(
        _ status: HTTPResponseStatus, _ head: HTTPRequestHead, _ context: ChannelHandlerContext, bodyBytes: Int = 0
    ) -> ResponseHead {
        isClosing = !head.isKeepAlive
        return ResponseHead(
            status, isKeepAlive: head.isKeepAlive, allocator: context.channel.allocator, bodyBytes: bodyBytes)
    }

    private func end(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard isClosing else {
            context.write(wrapOutboundOut(.byteBuffer(bytes)), promise: nil)
            return flushes.add(context)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.byteBuffer(bytes))).whenComplete { _ in channel.close(promise: nil) }
    }
}
