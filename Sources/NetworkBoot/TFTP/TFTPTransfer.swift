import NIOCore
import NIOPosix
import TFTP

/// One transfer on a port of its own: performs what the session decides.
struct TFTPTransfer {
    let content: ByteBuffer
    let client: SocketAddress
    let local: String

    private enum Event: Sendable {
        case datagram(ByteBuffer)
        case timer(generation: Int)
    }

    func run(_ initial: ReadSession) async throws -> (ReadSession.Outcome, retransmissions: Int) {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: local, port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                        wrappingChannelSynchronously: channel)
                }
            }
        let loop = channel.channel.eventLoop
        return try await channel.executeThenClose { inbound, outbound in
            let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(512))
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await envelope in inbound {
                        // Another port is another transfer's stray (RFC 1350 §4); it is passed over.
                        guard envelope.remoteAddress == client else { continue }
                        continuation.yield(.datagram(envelope.data))
                    }
                    continuation.finish()
                }
                defer { group.cancelAll() }
                var session = initial
                var generation = 0
                var timer: Scheduled<Void>?
                defer { timer?.cancel() }
                var pending = session.handle(.started)
                var iterator = events.makeAsyncIterator()
                while true {
                    var batch: [AddressedEnvelope<ByteBuffer>] = []
                    for action in pending {
                        switch action {
                        case .sendOptions(let options):
                            batch.append(envelope(Packet.optionAcknowledgment(options).encoded))
                        case .sendBlock(let block, let offset, let length):
                            batch.append(data(block, offset: offset, length: length))
                        case .sendError(let code, let message):
                            batch.append(envelope(Packet.error(code, message).encoded))
                        case .armTimer(let duration):
                            timer?.cancel()
                            generation += 1
                            let current = generation
                            timer = loop.scheduleTask(in: TimeAmount(duration)) {
                                _ = continuation.yield(.timer(generation: current))
                            }
                        case .finish(let outcome):
                            try await outbound.write(contentsOf: batch)
                            return (outcome, session.retransmissions)
                        }
                    }
                    try await outbound.write(contentsOf: batch)
                    guard let event = await iterator.next() else {
                        return (.refused("the socket was closed"), session.retransmissions)
                    }
                    switch event {
                    case .datagram(let buffer):
                        guard let packet = try? Packet(parsing: buffer.readableBytesView) else {
                            pending = []
                            continue
                        }
                        pending = session.handle(.received(packet))
                    case .timer(let number):
                        // A timer that was armed again in the meantime says nothing.
                        pending = number == generation ? session.handle(.timerFired) : []
                    }
                }
            }
        }
    }

    private func envelope(_ bytes: [UInt8]) -> AddressedEnvelope<ByteBuffer> {
        AddressedEnvelope(remoteAddress: client, data: ByteBuffer(bytes: bytes))
    }

    private func data(_ block: UInt16, offset: Int, length: Int) -> AddressedEnvelope<ByteBuffer> {
        var buffer = ByteBufferAllocator().buffer(capacity: 4 + length)
        buffer.writeInteger(UInt16(3))
        buffer.writeInteger(block)
        if var slice = content.getSlice(at: content.readerIndex + offset, length: length) { buffer.writeBuffer(&slice) }
        return AddressedEnvelope(remoteAddress: client, data: buffer)
    }
}
