import NIOCore
import NIOPosix
import Synchronization

/// Datagrams on their way to one reader.
final class Inbox: Sendable {
    typealias Datagram = (bytes: [UInt8], from: SocketAddress)

    private struct State {
        var queue: [Datagram] = []
        /// The reader that waits, and its number.
        var waiter: (turn: Int, continuation: CheckedContinuation<Datagram?, Never>)?
        var turns = 0
    }

    private let state = Mutex(State())

    func deliver(_ datagram: Datagram) {
        let waiter = state.withLock { state -> CheckedContinuation<Datagram?, Never>? in
            guard let waiter = state.waiter else {
                if state.queue.count < 64 { state.queue.append(datagram) }
                return nil
            }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume(returning: datagram)
    }

    /// The next datagram; nil after `seconds` without.
    func next(within seconds: Double, on loop: any EventLoop) async -> Datagram? {
        await withCheckedContinuation { continuation in
            let (ready, turn) = state.withLock { state -> (Datagram?, Int) in
                if !state.queue.isEmpty { return (state.queue.removeFirst(), 0) }
                state.turns += 1
                state.waiter = (state.turns, continuation)
                return (nil, state.turns)
            }
            if let ready { return continuation.resume(returning: ready) }
            loop.scheduleTask(in: .milliseconds(Int64(seconds * 1000))) { self.giveUp(turn) }
        }
    }

    private func giveUp(_ turn: Int) {
        let waiter = state.withLock { state -> CheckedContinuation<Datagram?, Never>? in
            guard let waiter = state.waiter, waiter.turn == turn else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiter?.resume(returning: nil)
    }
}

/// A UDP socket at an address of its own.
struct Datagrams: Sendable {
    let channel: any Channel

    static func bind(
        _ address: String, port: Int, _ receive: @escaping @Sendable (Inbox.Datagram, any Channel) -> Void
    ) async throws -> Datagrams {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { $0.pipeline.addHandler(Reader(receive: receive)) }
            .bind(host: address, port: port).get()
        return Datagrams(channel: channel)
    }

    func send(_ bytes: [UInt8], to address: SocketAddress) {
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: bytes)), promise: nil)
    }

    func close() async { try? await channel.close() }

    private final class Reader: ChannelInboundHandler, Sendable {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>

        let receive: @Sendable (Inbox.Datagram, any Channel) -> Void

        init(receive: @escaping @Sendable (Inbox.Datagram, any Channel) -> Void) { self.receive = receive }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            receive((Array(envelope.data.readableBytesView), envelope.remoteAddress), context.channel)
        }
    }
}
