import Machines
import NIOCore
import NIOHTTP1

/// What a request is answered with.
extension BootHTTPHandler {
    func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
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
        case .parts(let parts): send(parts, to: head, context)
        case .nothing: missing(head, context)
        case nil: look(for: request, head, context)
        }
    }

    private func look(for request: BootRequest, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        answering = .looking
        let found = context.eventLoop.makePromise(of: BootContent.Found.self)
        let (content, client) = (content, client)
        found.completeWithTask { await content.sought(request, by: client) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        found.futureResult.whenSuccess { found in
            let (handler, context) = bound.value
            handler.answering = nil
            switch found {
            case .text(let text): handler.reply(text, to: head, context)
            case .file(let file): handler.send(file, to: head, context)
            case .parts(let parts): handler.send(parts, to: head, context)
            case .nothing: handler.missing(head, context)
            }
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
            BootTraceEvent(mac: mac, address: client, step: .trouble(.missing(.http, BootRequest.shown(head.uri)))))
        refuse(.notFound, "no such file", context, isHead: head.method == .HEAD)
    }

    /// Says no, with a body, and closes the connection: shim over EDK2's HTTP reads on after an error until there is an end to
    /// the connection, a minute for each of its optional files.
    func refuse(
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
        let tag = file.tag
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
        let turns = file.digest.map { _ in content.turns }
        guard let sending = try? FileSending(file, range, isTLS: isTLS, turns: turns, on: context) else {
            return context.close(promise: nil)
        }
        answering = .sending(sending)
        let path = head.uri.split(separator: "?").first.map(String.init) ?? "/"
        let note = TransferNote(director: content.director, mac: mac, address: client, path: path, bytes: range.count)
        note.begun(signers: content.signers.signers(of: file, named: path))
        context.write(wrapOutboundOut(.byteBuffer(answer.ended())), promise: nil)
        sending.begin { result in
            note.ended(result)
            self.answering = nil
            self.movedAt = .now()
            guard case .success = result, !self.isClosing else { return context.close(promise: nil) }
            self.answerNext(context)
        }
    }

    /// Never in part, and to nobody else: what is sent so is given once.
    private func send(_ parts: [BootContent.Part], to head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let count = parts.reduce(0) { $0 + $1.count }
        var answer = begin(.ok, head, context)
        answer.add("Content-Length", "\(count)")
        answer.add("Content-Type", "application/octet-stream")
        answer.add("Cache-Control", "no-store")
        let note = TransferNote(
            director: content.director, mac: mac, address: client, path: BootRequest.shown(head.uri), bytes: Int(count))
        note.begun(signers: nil)
        context.write(wrapOutboundOut(.byteBuffer(answer.ended())), promise: nil)
        send(parts[...], context) { result in
            note.ended(result)
            self.answering = nil
            self.movedAt = .now()
            guard case .success = result, !self.isClosing else { return context.close(promise: nil) }
            self.answerNext(context)
        }
    }

    private func send(
        _ parts: ArraySlice<BootContent.Part>, _ context: ChannelHandlerContext,
        _ done: @escaping (Result<Void, any Error>) -> Void
    ) {
        var rest = parts
        guard let part = rest.popFirst() else { return done(.success(())) }
        func goOn(_ result: Result<Void, any Error>) {
            guard case .success = result else { return done(result) }
            send(rest, context, done)
        }
        switch part {
        case .bytes(let bytes):
            answering = .writing(since: .now())
            context.writeAndFlush(wrapOutboundOut(.byteBuffer(ByteBuffer(bytes: bytes)))).assumeIsolated()
                .whenComplete(goOn)
        case .file(let file):
            do {
                let turns = file.digest.map { _ in content.turns }
                let sending = try FileSending(file, 0..<file.size, isTLS: isTLS, turns: turns, on: context)
                answering = .sending(sending)
                sending.begin(goOn)
            } catch {
                done(.failure(error))
            }
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
