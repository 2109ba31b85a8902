import IPMI
import Machines
import NIOCore
import NIOPosix

/// One RMCP+ session over UDP, for the time of a few commands.
struct BMCConnection {
    /// Waits for each answer, growing: BMCs are slow and busy.
    static let waits: [Duration] = [.milliseconds(700), .milliseconds(1500), .seconds(3), .seconds(5)]

    let address: String
    let port: Int
    let suites: [CipherSuite]
    let credentials: Handshake.Credentials

    /// Opens a session, runs `body` in it, and closes it.
    /// - Throws: ``BMCError``.
    func session<Result: Sendable>(_ body: (inout OpenSession) async throws -> Result) async throws -> Result {
        let channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
        let remote: SocketAddress
        do {
            remote = try SocketAddress(ipAddress: address, port: port)
            channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .bind(host: "0.0.0.0", port: 0) { channel in
                    channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel(wrappingChannelSynchronously: channel) }
                }
        } catch {
            throw BMCError(address: address, doing: "open a socket", reason: .unreachable, "\(error)")
        }
        return try await channel.executeThenClose { inbound, outbound in
            let (datagrams, continuation) = AsyncStream.makeStream(
                of: [UInt8]?.self, bufferingPolicy: .bufferingNewest(64))
            return try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    do {
                        for try await envelope in inbound where envelope.remoteAddress == remote {
                            continuation.yield(Array(envelope.data.readableBytesView))
                        }
                    } catch {
                        // ICMP "port unreachable" surfaces here; the wait for an answer says what follows from it.
                    }
                    continuation.finish()
                }
                defer { group.cancelAll() }
                var line = Line(
                    remote: remote, outbound: outbound, datagrams: datagrams.makeAsyncIterator(), ticks: continuation,
                    loop: channel.channel.eventLoop)
                let session = try await establish(&line)
                var open = OpenSession(address: address, session: session, line: line)
                _ = try await open.send(.setAdministrator)
                let result = try await body(&open)
                await open.close()
                return result
            }
        }
    }

    private func establish(_ line: inout Line) async throws -> Session {
        var refusal: HandshakeError?
        for suite in suites {
            var handshake = Handshake(
                suite: suite, credentials: credentials, consoleID: UInt32.random(in: 1 ... .max),
                consoleRandom: (0..<16).map { _ in UInt8.random(in: 0...255) })
            var message = handshake.start()
            exchange: while true {
                guard let step = try await line.exchange(message, { handshake.receive($0) }) else {
                    throw BMCError.silent(address, "open a session")
                }
                switch step {
                case .send(let next): message = next
                case .established(let session): return session
                case .failed(let error):
                    guard case .refused(let status, _) = error, status.refusesCipherSuite else {
                        throw BMCError(address: address, doing: "log in", error)
                    }
                    refusal = error
                    break exchange
                case .ignored: continue
                }
            }
        }
        throw BMCError(
            address: address,
            doing: "agree on a cipher suite (\(suites.map { "\($0.rawValue)" }.joined(separator: ", ")))",
            refusal ?? .refused(SessionStatus(rawValue: 0x11), during: "opening a session"))
    }

    /// Datagrams out and in, with waits. Nil in the stream of datagrams is a wait that is over.
    struct Line {
        let remote: SocketAddress
        let outbound: NIOAsyncChannelOutboundWriter<AddressedEnvelope<ByteBuffer>>
        var datagrams: AsyncStream<[UInt8]?>.Iterator
        let ticks: AsyncStream<[UInt8]?>.Continuation
        let loop: any EventLoop

        /// Sends, and sends again, until the handler takes an answer. Nil when none came.
        mutating func exchange(_ datagram: [UInt8], _ handle: ([UInt8]) -> Handshake.Step) async throws -> Handshake
            .Step?
        {
            for wait in BMCConnection.waits {
                try await write(datagram)
                let timer = timer(wait)
                defer { timer.cancel() }
                while let received = await datagrams.next() {
                    guard let bytes = received else { break }
                    if case let step = handle(bytes), !step.isIgnored { return step }
                }
            }
            return nil
        }

        func write(_ datagram: [UInt8]) async throws {
            try await outbound.write(AddressedEnvelope(remoteAddress: remote, data: ByteBuffer(bytes: datagram)))
        }

        func timer(_ wait: Duration) -> Scheduled<Void> {
            let ticks = ticks
            return loop.scheduleTask(in: TimeAmount(wait)) { _ = ticks.yield(nil) }
        }
    }
}

extension Handshake.Step {
    fileprivate var isIgnored: Bool { if case .ignored = self { true } else { false } }
}
