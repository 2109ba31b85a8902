import CoreMetrics
import Logging
import Machines
import NIOCore
import NetworkAddresses
import TFTP

/// Takes in the packets of all TFTP sockets and carries on the transfers. Lives on one event loop.
final class TFTPDesk {
    private let content: BootContent
    private let isSinglePort: Bool
    private let cache: FileCache
    private let limits: Negotiation.Limits
    private let logger: Logger
    private let loop: any EventLoop
    private let sender = DatagramSender()
    private let reader = DatagramReader()
    private let batch = DatagramBatch()
    /// The port whose packets are being read: single blocks that answer them leave together.
    private var reading: TFTPPort?
    private var ports: [TFTPPort] = []
    private var nextPort = 0
    private var transfers: [TFTPTransfer.Client: TFTPTransfer] = [:]
    /// Clients that got all, or began anew.
    private var ended: Set<TFTPTransfer.Client> = []
    /// Whose file is being looked for.
    private var asking: Set<TFTPTransfer.Client> = []
    private var byAddress: [String: Int] = [:]
    private var malformed = MalformedLog(service: "tftp")
    private var isWatching = false

    static let batchesInTurn = 4
    static let watchInterval = TimeAmount.milliseconds(25)
    /// Longer than a client waits before it says its last word again.
    static let repeatPatience = TimeAmount.seconds(2)

    /// Transfers at once from one address, behind which there may be a NAT full of machines, and in all.
    static let perAddress = 1024
    static let total = 4096

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
            let mayHaveMore = reader.read(port.descriptor) { take($0, from: $1, on: port) }
            if port.isOpen { batch.send(on: port.descriptor) } else { batch.clear() }
            guard mayHaveMore else { return }
        }
    }

    func take(_ bytes: UnsafeRawBufferPointer, from sender: DatagramSender.Address, on port: TFTPPort) {
        let client = TFTPTransfer.Client(sender)
        let transfer = transfers[client].flatMap { $0.port === port ? $0 : nil }
        if let transfer, let block = Self.acknowledgedBlock(bytes) {
            transfer.isDoubted = false
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

    // MARK: Requests

    /// A request that came once before, while its transfer goes on: the client's repeat, which waited while our answer was on its way
    /// and would end what it has begun; or the first word of one that was started anew with its old port. The first will go on.
    private func doubt(_ former: TFTPTransfer, orServe request: ReadRequest, _ peer: SocketAddress) {
        former.isDoubted = true
        guard !former.isLookedAfter else { return }
        former.isLookedAfter = true
        loop.assumeIsolated().scheduleTask(in: Self.repeatPatience) {
            former.isLookedAfter = false
            guard former.isDoubted, self.transfers[former.client] === former else { return }
            self.finish(former, .refused("the client began anew"))
            self.begin(request, former.client, peer)
        }
    }

    private func lookAgain(_ request: ReadRequest, _ client: TFTPTransfer.Client, _ peer: SocketAddress) {
        loop.assumeIsolated().scheduleTask(in: .milliseconds(5)) {
            self.begin(request, client, peer, isSecondLook: true)
        }
    }

    private func begin(
        _ request: ReadRequest, _ client: TFTPTransfer.Client, _ peer: SocketAddress, isSecondLook: Bool = false
    ) {
        guard !asking.contains(client) else { return }
        if let former = transfers[client] {
            // A client that asks again has not heard us yet, and will: a second answer would only confuse it. One that had heard us
            // was started anew, and has the port that it had before.
            guard former.session.isHeard else {
                // Its last word may still wait on the other port. Answered at once, forged requests would make a flood of answers.
                if former.file != request.file, !isSecondLook { lookAgain(request, client, peer) }
                return
            }
            guard former.request != request else { return doubt(former, orServe: request, peer) }
            finish(former, .refused("the client began anew"))
        }
        let address = peer.ipAddress ?? ""
        guard byAddress[address, default: 0] < Self.perAddress, transfers.count + asking.count < Self.total else {
            // Silence: firmware asks again, and by then some transfers have ended.
            return BootMetrics.tftpTurnedAway.increment()
        }
        byAddress[address, default: 0] += 1
        asking.insert(client)
        let found = loop.makePromise(of: ByteBuffer?.self)
        let (content, cache) = (content, cache)
        found.completeWithTask {
            switch await content.find(BootRequest(tftp: request.file, client: peer.ipv4)) {
            case .text(let text): ByteBuffer(string: text)
            case .file(let file): cache.content(of: file)
            case .nothing: nil
            }
        }
        found.futureResult.assumeIsolated().whenComplete { result in
            self.asking.remove(client)
            self.answer(request, client, peer, (try? result.get()) ?? nil)
        }
    }

    private func answer(
        _ request: ReadRequest, _ client: TFTPTransfer.Client, _ peer: SocketAddress, _ file: ByteBuffer?
    ) {
        guard let port = port() else { return release(peer) }
        guard let file else {
            release(peer)
            content.director.record(
                BootTraceEvent(mac: peer.traceMAC, address: peer.ipv4, step: .trouble(.missing(.tftp, request.file))))
            // At once: shim asks for files that need not be there, and would wait.
            return refuse(.fileNotFound, "no such file", peer, on: port)
        }
        let negotiation = Negotiation(request, fileSize: file.readableBytes, limits: limits)
        let transfer = TFTPTransfer(
            client: client, peer: peer, request: request, content: file, port: port,
            session: ReadSession(fileSize: file.readableBytes, negotiation: negotiation))
        transfers[client] = transfer
        content.director.record(
            BootTraceEvent(mac: peer.traceMAC, address: peer.ipv4, step: .transferStarted(.tftp, file: request.file)))
        perform(transfer.session.handle(.started, at: Self.now), transfer)
    }

    /// Transfers take turns on the ports that are theirs, so that a straggler of one is not taken for a packet of the next.
    private func port() -> TFTPPort? {
        let usable = ports.filter { $0.takesRequests == isSinglePort }
        guard !usable.isEmpty else { return nil }
        nextPort = (nextPort + 1) % usable.count
        return usable[nextPort]
    }

    private func refuse(_ code: ErrorCode, _ why: String, _ peer: SocketAddress, on port: TFTPPort) {
        var address = DatagramSender.Address(peer)
        BootMetrics.tftpRefused.increment()
        _ = Packet.error(code, why).encoded.withUnsafeBytes { sender.send($0, to: &address, on: port.descriptor) }
    }

    // MARK: Transfers

    private func perform(_ action: ReadSession.Action, _ transfer: TFTPTransfer) {
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

    private func finish(_ transfer: TFTPTransfer, _ outcome: ReadSession.Outcome) {
        transfers[transfer.client] = nil
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

    private func release(_ peer: SocketAddress) {
        let address = peer.ipAddress ?? ""
        byAddress[address, default: 1] -= 1
        if byAddress[address] == 0 { byAddress[address] = nil }
    }

    // MARK: Small things

    private static var now: Nanoseconds { Int64(clamping: NIODeadline.now().uptimeNanoseconds) }

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
