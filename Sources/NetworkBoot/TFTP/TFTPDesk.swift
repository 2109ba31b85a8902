import CoreMetrics
import Logging
import Machines
import NIOCore
import NetworkAddresses
import TFTP

/// Takes in the packets of all TFTP sockets and carries on the transfers. Lives on one event loop.
final class TFTPDesk {
    let content: BootContent
    let isSinglePort: Bool
    let cache: FileCache
    let limits: Negotiation.Limits
    private let logger: Logger
    let loop: any EventLoop
    let sender = DatagramSender()
    private let reader = DatagramReader()
    private let batch = DatagramBatch()
    /// The port whose packets are being read: single blocks that answer them leave together.
    private var reading: TFTPPort?
    var ports: [TFTPPort] = []
    var nextPort = 0
    var transfers: [TFTPTransfer.Client: TFTPTransfer] = [:]
    /// Clients that got all, or began anew.
    private var ended: Set<TFTPTransfer.Client> = []
    /// Whose file is being looked for.
    var asking: Set<TFTPTransfer.Client> = []
    var byAddress: [String: Int] = [:]
    private var malformed = MalformedLog(service: "tftp")
    private var isWatching = false
    /// Whose answer came last, and how many of its before that.
    private var latest: TFTPTransfer?
    private var inARow = 0

    static let batchesInTurn = 4
    /// See ``stayAwake(on:)``.
    static let manyInARow = 16
    static let quickAnswer: Nanoseconds = 200_000
    static let longestAwake: Nanoseconds = 1_000_000
    static let watchInterval = TimeAmount.milliseconds(25)

    init(
        content: BootContent, isSinglePort: Bool, limits: Negotiation.Limits, logger: Logger, loop: any EventLoop
    ) {
        (self.content, self.isSinglePort) = (content, isSinglePort)
        (self.limits, self.logger, self.loop) = (limits, logger, loop)
        cache = FileCache()
    }

    func opened(_ port: TFTPPort) { ports.append(port) }

    func closed(_ port: TFTPPort) {
        ports.removeAll { $0 === port }
        for transfer in transfers.values where transfer.port === port {
            finish(transfer, .refused("the socket was closed"))
        }
    }

    /// Takes what else waits on a port. Under load that is nearly everything; other ports have their turn in between.
    func takeRest(on port: TFTPPort) {
        reading = port
        defer { reading = nil }
        for _ in 0..<Self.batchesInTurn where port.isOpen {
            guard readOnce(port) == DatagramReader.atOnce else { return }
        }
    }

    /// Waits without sleeping for the next word of a client that has us to itself, where its answers come faster than a sleeper wakes:
    /// in lock-step every block would pay for that. A short while only, since others of this loop wait.
    func stayAwake(on port: TFTPPort) {
        var now = Self.now
        let end = now + Self.longestAwake
        var quietUntil = now + Self.quickAnswer
        reading = port
        defer { reading = nil }
        while now < min(end, quietUntil), port.isOpen, inARow >= Self.manyInARow, let latest, latest.port === port,
            let trip = latest.session.roundTrip, trip < Self.quickAnswer
        {
            let count = readOnce(port)
            now = Self.now
            if count > 0 { quietUntil = now + Self.quickAnswer }
        }
    }

    private func readOnce(_ port: TFTPPort) -> Int {
        let count = reader.read(port.descriptor) { take($0, from: $1, on: port) }
        if port.isOpen { batch.send(on: port.descriptor) } else { batch.clear() }
        return count
    }

    func take(_ bytes: UnsafeRawBufferPointer, from sender: DatagramSender.Address, on port: TFTPPort) {
        let client = TFTPTransfer.Client(sender)
        let transfer = transfers[client].flatMap { $0.port === port ? $0 : nil }
        if let transfer, let block = Self.acknowledgedBlock(bytes) {
            transfer.isDoubted = false
            inARow = transfer === latest ? inARow + 1 : 0
            latest = transfer
            return perform(transfer.session.handle(.acknowledged(block), at: Self.now), transfer)
        }
        guard let peer = sender.socketAddress else { return }
        let packet: Packet
        do {
            packet = try Packet(parsing: bytes)
        } catch {
            return malformed.note(from: peer.ipAddress ?? "unknown", "\(error)", logger: logger)
        }
        if let transfer {
            if case .readRequest(let request) = packet { return begin(request, client, peer) }
            return perform(transfer.session.handle(.received(packet), at: Self.now), transfer)
        }
        switch packet {
        case .readRequest(let request) where port.takesRequests: begin(request, client, peer)
        case .writeRequest where port.takesRequests:
            refuse(.accessViolation, "this server is read-only", peer, on: port)
        case .error: return
        // The last word of a transfer that is over, said twice.
        case .acknowledgment where ended.contains(client): return
        case .acknowledgment, .data, .optionAcknowledgment, .readRequest, .writeRequest:
            refuse(.unknownTransfer, "no transfer is under way between these ports", peer, on: port)
        }
    }

    // MARK: Transfers

    func perform(_ action: ReadSession.Action, _ transfer: TFTPTransfer) {
        switch action {
        case .wait: return
        case .sendOptions(let options): transfer.send(Packet.optionAcknowledgment(options).encoded, with: sender)
        case .sendBlocks(let blocks):
            let isAdded = blocks.count == 1 && reading === transfer.port && transfer.add(blocks.lowerBound, to: batch)
            if !isAdded { transfer.send(blocks, with: sender) }
        case .finish(let outcome): return finish(transfer, outcome)
        }
        watch()
    }

    /// Looks at all transfers many times a second, as long as there are any. One look at a thousand costs less than a timer for
    /// each, whose moment moves with every block.
    private func watch() {
        guard !isWatching else { return }
        isWatching = true
        loop.assumeIsolated().scheduleTask(in: Self.watchInterval) {
            self.isWatching = false
            let now = Self.now
            // One that was started anew would take an old block for its answer.
            for transfer in self.transfers.values where now >= transfer.session.deadline && !transfer.isDoubted {
                self.perform(transfer.session.handle(.timerFired, at: now), transfer)
            }
            if !self.transfers.isEmpty { self.watch() }
        }
    }

    func finish(_ transfer: TFTPTransfer, _ outcome: ReadSession.Outcome) {
        transfers[transfer.client] = nil
        if transfer === latest { latest = nil }
        if ended.count >= Self.total { ended.removeAll(keepingCapacity: true) }
        if case .timedOut = outcome { ended.remove(transfer.client) } else { ended.insert(transfer.client) }
        release(transfer.peer)
        let nanoseconds = (NIODeadline.now() - transfer.startedAt).nanoseconds
        let bytes = outcome == .completed ? Int64(transfer.content.readableBytes) : 0
        BootMetrics.tftpRetransmissions.increment(by: Int64(transfer.session.retransmissions))
        BootMetrics.noteTransfer(.tftp, outcome.kind, bytes: bytes, nanoseconds: nanoseconds)
        content.director.record(
            BootTraceEvent(
                mac: transfer.peer.traceMAC, address: transfer.peer.ipv4,
                step: .transferFinished(
                    .tftp, file: transfer.file, bytes: bytes, milliseconds: nanoseconds / 1_000_000,
                    retransmissions: transfer.session.retransmissions,
                    outcome: outcome.words)))
    }

    func release(_ peer: SocketAddress) {
        let address = peer.ipAddress ?? ""
        byAddress[address, default: 1] -= 1
        if byAddress[address] == 0 { byAddress[address] = nil }
    }

    // MARK: Small things

    static var now: Nanoseconds { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

    /// Nearly all that comes is acknowledgments, which need no general parser.
    private static func acknowledgedBlock(_ bytes: UnsafeRawBufferPointer) -> UInt16? {
        guard bytes.count >= 4 else { return nil }
        let word = UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self))
        return word >> 16 == 4 ? UInt16(truncatingIfNeeded: word) : nil
    }
}

extension ReadSession.Outcome {
    /// For the trace.
    fileprivate var words: String {
        switch self {
        case .completed: "completed"
        case .probed: "probed"
        case .refused(let why): "refused: \(why)"
        case .timedOut(let block): "timed out at block \(block)"
        }
    }

    fileprivate var kind: BootMetrics.Outcome {
        switch self {
        case .completed: .completed
        case .probed: .probed
        case .refused: .refused
        case .timedOut: .timedOut
        }
    }
}
