/// One read transfer seen from the server: a state machine without I/O. The caller feeds events and performs the actions.
public struct ReadSession: Sendable {
    public enum Event: Sendable {
        case started
        case received(Packet)
        case timerFired
    }

    public enum Action: Sendable {
        case sendOptions([(name: String, value: String)])
        /// DATA: `length` bytes of the file from `offset`.
        case sendBlock(UInt16, offset: Int, length: Int)
        case sendError(ErrorCode, String)
        case armTimer(Duration)
        case finish(Outcome)
    }

    public enum Outcome: Equatable, Sendable {
        case completed
        /// The client only asked for the size, and ended the exchange with ERROR (OVMF and other EDK2 firmware do).
        case probed
        case refused(String)
        case timedOut(block: Int)
    }

    private enum State {
        case idle
        case awaitingOptionsAck(retries: Int)
        /// Blocks up to `acknowledged` have arrived (counted from 1, not wrapped); up to `sent` are on their way.
        case sending(acknowledged: Int, sent: Int, retries: Int)
        case finished
    }

    private var state = State.idle
    private let fileSize: Int
    private let negotiation: Negotiation
    /// Blocks sent again so far.
    public private(set) var retransmissions = 0

    /// Times an answer is waited for before the client counts as gone; the wait doubles each time, up to 8 times the first.
    static let retries = 6

    public init(fileSize: Int, negotiation: Negotiation) { (self.fileSize, self.negotiation) = (fileSize, negotiation) }

    /// The last block is shorter than the others, and may be empty.
    private var blockCount: Int { fileSize / negotiation.blockSize + 1 }

    public mutating func handle(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.idle, .started):
            guard !negotiation.acknowledged.isEmpty else { return send(after: 0, retries: Self.retries) }
            state = .awaitingOptionsAck(retries: Self.retries)
            return [.sendOptions(negotiation.acknowledged), .armTimer(timeout(Self.retries))]
        case (.awaitingOptionsAck, .received(.acknowledgment(block: 0))):
            return send(after: 0, retries: Self.retries)
        case (.awaitingOptionsAck(let retries), .timerFired):
            guard retries > 0 else { return finish(.timedOut(block: 0)) }
            state = .awaitingOptionsAck(retries: retries - 1)
            retransmissions += 1
            return [.sendOptions(negotiation.acknowledged), .armTimer(timeout(retries - 1))]
        case (.awaitingOptionsAck, .received(.error(let code, let message))):
            return finish(code == .optionsRefused || message.contains("abort") ? .probed : .refused(message))
        case (.sending(let acknowledged, let sent, let retries), .received(.acknowledgment(let block))):
            return acknowledge(block, acknowledged: acknowledged, sent: sent, retries: retries)
        case (.sending(let acknowledged, let sent, let retries), .timerFired):
            guard retries > 0 else { return finish(.timedOut(block: acknowledged + 1)) }
            retransmissions += sent - acknowledged
            return send(after: acknowledged, retries: retries - 1)
        case (.sending, .received(.error(_, let message))):
            return finish(.refused(message))
        case (.idle, _), (_, .started), (.awaitingOptionsAck, _), (.sending, _), (.finished, _):
            return []
        }
    }

    private mutating func acknowledge(_ block: UInt16, acknowledged: Int, sent: Int, retries: Int) -> [Action] {
        // Block numbers wrap at 65535 → 0: the one meant is the one within the window.
        let ahead = Int(block &- UInt16(truncatingIfNeeded: acknowledged))
        // A duplicate of an old ACK never triggers a resend (RFC 1123 §4.2.3.1); one ahead of what was sent is none of ours.
        guard ahead > 0, acknowledged + ahead <= sent else { return [] }
        let arrived = acknowledged + ahead
        guard arrived < blockCount else { return finish(.completed) }
        // An ACK inside the window names the last block before a gap: go on from there (RFC 7440 §4).
        if arrived < sent { retransmissions += sent - arrived }
        return send(after: arrived, retries: Self.retries)
    }

    private mutating func send(after acknowledged: Int, retries: Int) -> [Action] {
        let last = min(acknowledged + negotiation.windowSize, blockCount)
        state = .sending(acknowledged: acknowledged, sent: last, retries: retries)
        var actions: [Action] = []
        for block in (acknowledged + 1)...last {
            let offset = (block - 1) * negotiation.blockSize
            actions.append(
                .sendBlock(
                    UInt16(truncatingIfNeeded: block), offset: offset,
                    length: min(negotiation.blockSize, fileSize - offset)))
        }
        return actions + [.armTimer(timeout(retries))]
    }

    private func timeout(_ retries: Int) -> Duration { negotiation.timeout * (1 << min(Self.retries - retries, 3)) }

    private mutating func finish(_ outcome: Outcome) -> [Action] {
        state = .finished
        return [.finish(outcome)]
    }
}
