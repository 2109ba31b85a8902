import Machines
import NIOCore
import NIOPosix

/// Datagrams to one BMC and from it, with waits.
struct IPMILine {
    enum Event: Sendable {
        case datagram([UInt8])
        /// A wait is over, the one of this number.
        case waited(Int)
        /// Somebody has something to be sent.
        case woken
    }

    private let remote: SocketAddress
    private let channel: any Channel
    private let outbound: NIOAsyncChannelOutboundWriter<AddressedEnvelope<ByteBuffer>>
    private var events: AsyncStream<Event>.Iterator
    private let continuation: AsyncStream<Event>.Continuation
    private var waits = 0
    /// Datagrams that were sent again because no answer had come.
    private(set) var repeats = 0

    /// Opens a socket for the time of `body`.
    /// - Throws: ``BMCError``, and what `body` throws.
    static func open<Result: Sendable>(
        address: String, port: Int, _ body: (inout IPMILine) async throws -> Result
    ) async throws -> Result {
        let channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
        let remote: SocketAddress
        do {
            remote = try SocketAddress(ipAddress: address, port: port)
            channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: remote.protocol == .inet6 ? "::" : "0.0.0.0", port: 0) { channel in
                    channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
                }
        } catch {
            throw BMCError(address: address, doing: "open a socket", reason: .unreachable, "\(error)")
        }
        return try await channel.executeThenClose { inbound, outbound in
            let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(256))
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        for try await envelope in inbound where envelope.remoteAddress == remote {
                            continuation.yield(.datagram(Array(envelope.data.readableBytesView)))
                        }
                    } catch {
                        // What an unreachable port brings; the wait for an answer says what follows from it.
                    }
                    continuation.finish()
                }
                defer { group.cancelAll() }
                var line = IPMILine(
                    remote: remote, channel: channel.channel, outbound: outbound, events: events.makeAsyncIterator(),
                    continuation: continuation)
                return try await body(&line)
            }
        }
    }

    /// Sends, and sends again after each wait, until `take` makes something of what comes. Nil when it never does.
    mutating func exchange<Answer>(
        _ datagram: [UInt8], waits: [Duration], _ take: ([UInt8]) -> Answer?
    ) async throws -> Answer? {
        for (number, wait) in waits.enumerated() {
            if number > 0 { repeats += 1 }
            try await write(datagram)
            if let answer = try await receive(for: wait, take) { return answer }
        }
        return nil
    }

    /// What `take` makes of the first datagram that it makes something of; nil when the wait is over.
    mutating func receive<Answer>(for wait: Duration, _ take: ([UInt8]) throws -> Answer?) async throws -> Answer? {
        let timer = timer(wait)
        defer { timer.cancel() }
        let end = ContinuousClock.now + wait
        while let event = await next() {
            switch event {
            case .datagram(let bytes):
                if let answer = try take(bytes) { return answer }
                // A flood may have pushed the timer's event out.
                if ContinuousClock.now >= end { return nil }
            case .waited: return nil
            case .woken: continue
            }
        }
        throw CancellationError()
    }

    /// The next event; a wait that was given up is none. Nil when this task is cancelled.
    mutating func next() async -> Event? {
        while let event = await events.next() {
            if case .waited(let number) = event, number != waits { continue }
            return event
        }
        return nil
    }

    func write(_ datagram: [UInt8]) async throws {
        do {
            try await outbound.write(AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: datagram)))
        } catch let error where !(error is CancellationError) {
            throw BMCError(
                address: remote.ipAddress ?? "?", doing: "send a datagram", reason: .unreachable, "\(error)")
        }
    }

    /// Sends and looks no further, also when this task is cancelled: for farewells.
    func writeBlindly(_ datagram: [UInt8]) {
        channel.writeAndFlush(AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: datagram)), promise: nil)
    }

    /// Starts the wait that ends with ``Event/waited(_:)``; one before it counts no more.
    mutating func timer(_ wait: Duration) -> Scheduled<Void> {
        waits += 1
        let (continuation, number) = (continuation, waits)
        return channel.eventLoop.scheduleTask(in: TimeAmount(wait)) { _ = continuation.yield(.waited(number)) }
    }

    /// Makes ``next()`` return.
    var waker: @Sendable () -> Void {
        let continuation = continuation
        return { continuation.yield(.woken) }
    }
}
