import Logging
import Machines
import Metrics
import NIOCore
import NIOPosix
import NetworkAddresses
import ServiceLifecycle
import Synchronization
import TFTP

/// Serves boot files by TFTP, read-only.
public struct TFTPServer: Service {
    private let address: String
    private let port: Int
    private let cache: FileCache
    private let limits: Negotiation.Limits
    private let director: any NetworkBootDirector
    private let logger: Logger
    private let started: @Sendable (Int) -> Void

    /// Transfers at once from one address, behind which there may be a NAT full of machines, and in all.
    static let perClient = 1024
    static let total = 4096

    /// - Parameters:
    ///   - address: the service address; transfers go out from it, as clients expect.
    ///   - port: 69; 0 for a free one in tests.
    ///   - started: told the port once the server listens.
    public init(
        address: String, port: Int = 69, directory: BootFileDirectory, limits: Negotiation.Limits = .init(),
        director: any NetworkBootDirector, logger: Logger, started: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        (self.address, self.port, self.limits, self.director, self.logger) = (address, port, limits, director, logger)
        (cache, self.started) = (FileCache(directory: directory), started)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
            do {
                channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .bind(host: address, port: port) { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try NIOAsyncChannel(wrappingChannelSynchronously: channel)
                        }
                    }
            } catch let error as IOError {
                throw BootServiceError(
                    "TFTP cannot listen on \(address):\(port): \(error); `ss -ulpn sport = :\(port)` shows who does")
            }
            logger.info(
                "TFTP", metadata: ["address": "\(address)", "port": "\(channel.channel.localAddress?.port ?? port)"])
            started(channel.channel.localAddress?.port ?? port)
            try await serve(channel)
        }
    }

    private func serve(
        _ channel: NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
    ) async throws {
        let running = RunningTransfers(perClient: Self.perClient, total: Self.total)
        var malformed = MalformedLog(service: "tftp")
        try await channel.executeThenClose { inbound, outbound in
            try await withThrowingDiscardingTaskGroup { group in
                for try await envelope in inbound {
                    let client = envelope.remoteAddress
                    let answer: Packet
                    switch Result(catching: { () throws(PacketError) in
                        try Packet(parsing: envelope.data.readableBytesView)
                    }) {
                    case .failure(let error):
                        malformed.note(from: client.ipAddress ?? "unknown", "\(error)", logger: logger)
                        continue
                    case .success(.readRequest(let request)):
                        guard let content = cache.content(of: request.file) else {
                            // At once: shim asks for files that need not be there, and would wait.
                            answer = .error(.fileNotFound, "no such file")
                            director.record(
                                BootTraceEvent(
                                    address: client.ipv4,
                                    step: .trouble(.missing(.tftp, request.file))))
                            break
                        }
                        guard running.begin(client) else {
                            // Silence: firmware asks again, and by then some transfers have ended.
                            Counter(label: "tftp.turned_away").increment()
                            continue
                        }
                        group.addTask {
                            await transfer(request, content, to: client)
                            running.end(client)
                        }
                        continue
                    case .success(.writeRequest): answer = .error(.accessViolation, "this server is read-only")
                    case .success(.error): continue
                    case .success: answer = .error(.unknownTransfer, "this port takes requests only")
                    }
                    do {
                        try await outbound.write(
                            AddressedEnvelope(remoteAddress: client, data: ByteBuffer(bytes: answer.encoded)))
                    } catch is IOError {
                        // A client that is not reachable any more must not end the service.
                        continue
                    }
                }
            }
        }
    }

    private func transfer(_ request: ReadRequest, _ content: ByteBuffer, to client: SocketAddress) async {
        director.record(
            BootTraceEvent(address: client.ipv4, step: .transferStarted(.tftp, file: request.file)))
        let clock = ContinuousClock()
        let begin = clock.now
        let negotiation = Negotiation(request, fileSize: content.readableBytes, limits: limits)
        let session = ReadSession(fileSize: content.readableBytes, negotiation: negotiation)
        do {
            let (outcome, retransmissions) = try await TFTPTransfer(
                content: content, client: client, local: address
            ).run(session)
            let milliseconds = Int64((clock.now - begin) / .milliseconds(1))
            note(
                client, request.file, outcome, bytes: outcome == .completed ? Int64(content.readableBytes) : 0,
                milliseconds: milliseconds, retransmissions: retransmissions)
        } catch {
            logger.warning(
                "TFTP transfer broken off",
                metadata: ["client": "\(client)", "file": "\(request.file)", "error": "\(error)"])
        }
    }

    private func note(
        _ client: SocketAddress, _ file: String, _ outcome: ReadSession.Outcome, bytes: Int64, milliseconds: Int64,
        retransmissions: Int
    ) {
        let words: String =
            switch outcome {
            case .completed: "completed"
            case .probed: "probed"
            case .refused(let why): "refused: \(why)"
            case .timedOut(let block): "timed out at block \(block)"
            }
        Counter(label: "tftp.transfers", dimensions: [("outcome", outcome == .completed ? "completed" : "other")])
            .increment()
        director.record(
            BootTraceEvent(
                address: client.ipv4,
                step: .transferFinished(
                    .tftp, file: file, bytes: bytes, milliseconds: milliseconds, retransmissions: retransmissions,
                    outcome: words)))
    }
}

/// Counts transfers, so that one client or all together cannot take the daemon's memory.
private final class RunningTransfers: Sendable {
    private struct Counts {
        var byClient: [String: Int] = [:]
        var all = 0
    }

    private let counts = Mutex(Counts())
    private let perClient: Int
    private let total: Int

    init(perClient: Int, total: Int) { (self.perClient, self.total) = (perClient, total) }

    func begin(_ client: SocketAddress) -> Bool {
        let key = client.ipAddress ?? ""
        return counts.withLock { counts in
            guard counts.byClient[key, default: 0] < perClient, counts.all < total else { return false }
            counts.byClient[key, default: 0] += 1
            counts.all += 1
            return true
        }
    }

    func end(_ client: SocketAddress) {
        let key = client.ipAddress ?? ""
        counts.withLock { counts in
            counts.all -= 1
            counts.byClient[key, default: 1] -= 1
            if counts.byClient[key] == 0 { counts.byClient[key] = nil }
        }
    }
}

extension SocketAddress {
    /// Without a detour through text.
    var ipv4: NetworkAddresses.IPv4Address? {
        guard case .v4 = self else { return nil }
        // struct sockaddr_in: family (2), port (2), address (4).
        return withSockAddr { address, _ in
            NetworkAddresses.IPv4Address(
                rawValue: UInt32(bigEndian: UnsafeRawPointer(address).load(fromByteOffset: 4, as: UInt32.self)))
        }
    }
}
