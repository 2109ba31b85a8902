import NIOCore
import NIOPosix
import TFTP

/// One transfer on a port of its own.
struct TFTPTransfer {
    let content: ByteBuffer
    let client: SocketAddress
    let local: String

    /// Returns when the session has ended, or the task was cancelled.
    func run(_ session: ReadSession) async throws -> (ReadSession.Outcome, retransmissions: Int) {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let ended = loop.makePromise(of: TFTPTransferHandler.End.self)
        let (content, client) = (content, client)
        let channel: any Channel
        do {
            channel = try await DatagramBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            TFTPTransferHandler(content: content, client: client, session: session, ended: ended))
                    }
                }
                .bind(host: local, port: 0).get()
        } catch {
            ended.fail(error)
            throw error
        }
        let end = try await withTaskCancellationHandler {
            try await ended.futureResult.get()
        } onCancel: {
            channel.close(promise: nil)
        }
        return (end.outcome, end.retransmissions)
    }
}

/// Performs what a session decides, on its channel's loop: nothing waits for anything but the client.
private final class TFTPTransferHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    struct End: Sendable {
        var outcome: ReadSession.Outcome
        var retransmissions: Int
    }

    private let content: ByteBuffer
    private let client: SocketAddress
    private let ended: EventLoopPromise<End>
    private var session: ReadSession
    private var timer: Scheduled<Void>?
    /// When the session's patience ends. It moves with every acknowledgment; the timer is set anew only when it rings too early.
    private var deadline = NIODeadline.distantFuture
    private var ringsAt = NIODeadline.distantFuture
    private var isOver = false

    init(content: ByteBuffer, client: SocketAddress, session: ReadSession, ended: EventLoopPromise<End>) {
        (self.content, self.client, self.session, self.ended) = (content, client, session, ended)
    }

    func channelActive(context: ChannelHandlerContext) { perform(session.handle(.started), context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        // Another port is another transfer's stray (RFC 1350 §4); it is passed over.
        guard !isOver, envelope.remoteAddress == client, let packet = Self.packet(envelope.data) else { return }
        perform(session.handle(.received(packet)), context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.refused("the socket was closed"), context)
    }

    /// ICMP "port unreachable" surfaces here: the client is gone, or will ask again.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private func perform(_ actions: [ReadSession.Action], _ context: ChannelHandlerContext) {
        for action in actions {
            switch action {
            case .sendOptions(let options): write(Packet.optionAcknowledgment(options).encoded, context)
            case .sendBlock(let block, let offset, let length): write(block, offset: offset, length: length, context)
            case .sendError(let code, let message): write(Packet.error(code, message).encoded, context)
            case .armTimer(let duration):
                deadline = .now() + TimeAmount(duration)
                if timer == nil || deadline < ringsAt { ring(context) }
            case .finish(let outcome): return finish(outcome, context)
            }
        }
        context.flush()
    }

    private func ring(_ context: ChannelHandlerContext) {
        timer?.cancel()
        ringsAt = deadline
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: deadline) {
            let (handler, context) = bound.value
            handler.timer = nil
            guard !handler.isOver else { return }
            guard NIODeadline.now() >= handler.deadline else { return handler.ring(context) }
            handler.perform(handler.session.handle(.timerFired), context)
        }
    }

    private func finish(_ outcome: ReadSession.Outcome, _ context: ChannelHandlerContext) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        context.flush()
        ended.succeed(End(outcome: outcome, retransmissions: session.retransmissions))
        context.close(promise: nil)
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        context.write(
            wrapOutboundOut(AddressedEnvelope(remoteAddress: client, data: ByteBuffer(bytes: bytes))), promise: nil)
    }

    private func write(_ block: UInt16, offset: Int, length: Int, _ context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: 4 + length)
        buffer.writeInteger(UInt16(3))
        buffer.writeInteger(block)
        if var slice = content.getSlice(at: content.readerIndex + offset, length: length) { buffer.writeBuffer(&slice) }
        context.write(wrapOutboundOut(AddressedEnvelope(remoteAddress: client, data: buffer)), promise: nil)
    }

    /// Nearly all that comes is acknowledgments, which need no general parser.
    private static func packet(_ buffer: ByteBuffer) -> Packet? {
        if buffer.readableBytes >= 4, buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) == 4,
            let block = buffer.getInteger(at: buffer.readerIndex + 2, as: UInt16.self)
        {
            return .acknowledgment(block: block)
        }
        return try? Packet(parsing: buffer.readableBytesView)
    }
}
