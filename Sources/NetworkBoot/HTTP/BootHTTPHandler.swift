import CoreMetrics
import Glibc
import Logging
import Machines
import NIOCore
import NIOHTTP1
import NIOPosix
import NetworkAddresses

/// One connection of the boot HTTP server. Files leave by sendfile; the pipeline hands over one request at a time.
final class BootHTTPHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let content: BootContent
    private let deadline: RequestDeadline
    /// The kernel cannot encrypt what it sends from a file.
    private let isTLS: Bool
    private let logger: Logger
    private var request: HTTPRequestHead?
    private var bodyBytes = 0
    /// A file is on its way. A slow reader may take its time; a dead one is cut off by the kernel (TCP_USER_TIMEOUT).
    private var isSending = false { didSet { deadline.isSending = isSending } }

    /// When a piece of a file was taken whole, or the file begun.
    private var progressAt = NIODeadline.now()

    /// For a piece of a file: who reads slower than 7 kB/s holds a connection that others could have.
    static let piecePatience = TimeAmount.seconds(300)
    /// Longest request target and, together, headers.
    static let maximumTarget = 2048
    static let maximumHeaderBytes = 16 << 10
    /// Bytes of a file in one system call, and in one for a reader that took the last piece within a moment: 7 ms of a 10 Gbit/s link.
    /// Smaller ones cost more of the processor (measured from 512 KiB on); larger ones would ask more of slow readers than ``piecePatience`` means.
    static let pieceBytes: Int64 = 2 << 20
    static let quickPieceBytes: Int64 = 8 << 20
    static let moment = TimeAmount.seconds(5)
    /// Bytes of a file read at once where it is encrypted.
    static let readBytes = 256 << 10

    init(content: BootContent, deadline: RequestDeadline, isTLS: Bool, logger: Logger) {
        (self.content, self.deadline, self.isTLS, self.logger) = (content, deadline, isTLS, logger)
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
            deadline.requestEnded()
            guard let head = request else { return }
            request = nil
            answer(head, context: context)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is IdleStateHandler.IdleStateEvent, !isSending { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        BootMetrics.httpErrors.increment()
        context.close(promise: nil)
    }

    private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let headerBytes = head.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
        guard head.uri.utf8.count <= Self.maximumTarget, headerBytes <= Self.maximumHeaderBytes else {
            return refuse(.uriTooLong, "the request is too long", head, context)
        }
        guard head.method == .GET || head.method == .HEAD else {
            return refuse(.methodNotAllowed, "this server is read-only", head, context)
        }
        let request = BootRequest(target: head.uri, client: context.remoteAddress?.ipv4)
        if let found = content.made(request, isHead: head.method == .HEAD) {
            return answer(found, to: request, head, context)
        }
        let file = context.eventLoop.makePromise(of: OpenFile?.self)
        let content = content
        file.completeWithTask { await content.file(request) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        file.futureResult.whenSuccess { file in
            let (handler, context) = bound.value
            handler.answer(file.map { .file($0) } ?? .nothing, to: request, head, context)
        }
    }

    private func answer(
        _ found: BootContent.Found, to request: BootRequest, _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        switch found {
        case .text(let text): reply(text, to: head, context: context)
        case .file(let file): send(file, for: request, to: head, context: context)
        case .nothing:
            content.director.record(
                BootTraceEvent(
                    mac: context.remoteAddress?.traceMAC, address: context.remoteAddress?.ipv4,
                    step: .trouble(.missing(.http, head.uri))))
            refuse(.notFound, "no such file", head, context)
        }
    }

    private func reply(_ text: String, to head: HTTPRequestHead, context: ChannelHandlerContext) {
        let body = ByteBuffer(string: text)
        let headers = HTTPHeaders([
            ("Content-Length", "\(body.readableBytes)"), ("Content-Type", "text/plain; charset=utf-8"),
        ])
        begin(.ok, headers, head, context)
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        end(head, context)
    }

    /// Says no, with a body, and closes the connection: shim over EDK2's HTTP reads on after an error until there is an end to
    /// the connection, a minute for each of its optional files.
    private func refuse(
        _ status: HTTPResponseStatus, _ why: String, _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        var head = head
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        let body = ByteBuffer(string: why + "\n")
        var headers = HTTPHeaders([
            ("Content-Length", "\(body.readableBytes)"), ("Content-Type", "text/plain; charset=utf-8"),
        ])
        if status == .methodNotAllowed { headers.add(name: "Allow", value: "GET, HEAD") }
        begin(status, headers, head, context)
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        end(head, context)
    }

    private func send(
        _ file: OpenFile, for request: BootRequest, to head: HTTPRequestHead, context: ChannelHandlerContext
    ) {
        let (client, mac) = (context.remoteAddress?.ipv4, context.remoteAddress?.traceMAC)
        let tag = "\"\(file.inode)-\(file.size)-\(file.modified)\""
        var headers = HTTPHeaders([
            ("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), ("ETag", tag),
        ])
        let range: Range<Int64>
        switch FileAnswer(tag: tag, size: file.size, header: { head.headers.first(name: $0) }) {
        case .notModified:
            begin(.notModified, headers, head, context)
            return end(head, context)
        case .range(.unsatisfiable):
            headers.add(name: "Content-Range", value: "bytes */\(file.size)")
            headers.add(name: "Content-Length", value: "0")
            begin(.rangeNotSatisfiable, headers, head, context)
            return end(head, context)
        case .range(.whole):
            range = 0..<file.size
            headers.add(name: "Content-Length", value: "\(file.size)")
            begin(.ok, headers, head, context)
        case .range(.part(let part)):
            range = part
            headers.add(name: "Content-Range", value: "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.size)")
            headers.add(name: "Content-Length", value: "\(part.count)")
            begin(.partialContent, headers, head, context)
        }
        guard head.method == .GET, !range.isEmpty else { return end(head, context) }
        let started = NIODeadline.now()
        let (director, path) = (content.director, head.uri.split(separator: "?").first.map(String.init) ?? "/")
        director.record(BootTraceEvent(mac: mac, address: client, step: .transferStarted(.http, file: path)))
        // The handle owns a duplicate: the cache of open files and this transfer close independently.
        let descriptor = dup(file.descriptor)
        guard descriptor >= 0 else { return context.close(promise: nil) }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        let channel = context.channel
        let sent = context.eventLoop.makePromise(of: Void.self)
        isSending = true
        progressAt = .now()
        watch(context.channel)
        cork(context.channel, true)
        sent.futureResult.assumeIsolated().whenComplete { result in
            self.isSending = false
            self.cork(channel, false)
            try? handle.close()
            let outcome: String
            switch result {
            case .success: outcome = "completed"
            case .failure(let error): outcome = "broken off: \(error)"
            }
            let nanoseconds = (NIODeadline.now() - started).nanoseconds
            let isWhole = if case .success = result { true } else { false }
            BootMetrics.noteTransfer(
                .http, isWhole ? .completed : .brokenOff, bytes: isWhole ? Int64(range.count) : 0,
                nanoseconds: nanoseconds)
            director.record(
                BootTraceEvent(
                    mac: mac, address: client,
                    step: .transferFinished(
                        .http, file: path, bytes: Int64(range.count), milliseconds: nanoseconds / 1_000_000,
                        retransmissions: 0,
                        outcome: outcome)))
        }
        let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
        if isTLS {
            sendByReading(handle, range, to: bound, sent)
        } else {
            sendFromKernel(handle, range, to: bound, sent)
        }
        sent.futureResult.assumeIsolated().whenSuccess { self.end(head, bound.value) }
    }

    /// In pieces, each when the last one is gone: one call for a whole image would hold up every other client of this loop for as long
    /// as the kernel likes, and a thousand pieces written ahead are a thousand promises for each client.
    private func sendFromKernel(
        _ handle: NIOFileHandle, _ range: Range<Int64>, to context: NIOLoopBound<ChannelHandlerContext>,
        _ sent: EventLoopPromise<Void>, isQuick: Bool = false
    ) {
        let bytes = isQuick ? Self.quickPieceBytes : Self.pieceBytes
        let end = min(range.lowerBound + bytes, range.upperBound)
        let region = FileRegion(fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(end))
        context.value.writeAndFlush(wrapOutboundOut(.body(.fileRegion(region)))).assumeIsolated().whenComplete {
            result in
            switch result {
            case .success:
                let isQuick = NIODeadline.now() - self.progressAt < Self.moment
                self.progressAt = .now()
                guard end < range.upperBound else { return sent.succeed() }
                self.sendFromKernel(handle, end..<range.upperBound, to: context, sent, isQuick: isQuick)
            case .failure(let error): sent.fail(error)
            }
        }
    }

    /// The next piece is read when the last one is gone: a client that reads slowly takes no memory.
    private func sendByReading(
        _ handle: NIOFileHandle, _ range: Range<Int64>, to context: NIOLoopBound<ChannelHandlerContext>,
        _ sent: EventLoopPromise<Void>
    ) {
        guard !range.isEmpty else { return sent.succeed() }
        // The allocator may give more room than this.
        let wanted = Int(min(Int64(Self.readBytes), range.upperBound - range.lowerBound))
        var buffer = context.value.channel.allocator.buffer(capacity: wanted)
        let count =
            (try? handle.withUnsafeFileDescriptor { descriptor in
                buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { bytes in
                    max(0, pread(descriptor, bytes.baseAddress, wanted, off_t(range.lowerBound)))
                }
            }) ?? 0
        guard count > 0 else { return sent.fail(BootServiceError("the file ends before its size")) }
        context.value.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer)))).assumeIsolated().whenComplete {
            result in
            switch result {
            case .success:
                self.progressAt = .now()
                self.sendByReading(handle, range.lowerBound + Int64(count)..<range.upperBound, to: context, sent)
            case .failure(let error): sent.fail(error)
            }
        }
    }

    /// Looks now and then whether the file goes on.
    private func watch(_ channel: any Channel) {
        channel.eventLoop.assumeIsolated().scheduleTask(in: .seconds(60)) {
            guard self.isSending else { return }
            guard NIODeadline.now() - self.progressAt < Self.piecePatience else { return channel.close(promise: nil) }
            self.watch(channel)
        }
    }

    /// While a file leaves, only full segments do: its head goes with its first bytes, and the kernel cuts less.
    private func cork(_ channel: any Channel, _ on: Bool) {
        try? channel.syncOptions?.setOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_CORK)), value: on ? 1 : 0)
    }

    private func begin(
        _ status: HTTPResponseStatus, _ headers: HTTPHeaders, _ head: HTTPRequestHead, _ context: ChannelHandlerContext
    ) {
        BootMetrics.noteRequest(status: status.code)
        var headers = headers
        headers.add(name: "Connection", value: head.isKeepAlive ? "keep-alive" : "close")
        context.write(
            wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
    }

    private func end(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let written = context.writeAndFlush(wrapOutboundOut(.end(nil)))
        guard !head.isKeepAlive else { return }
        let channel = context.channel
        written.whenComplete { _ in channel.close(promise: nil) }
    }
}
