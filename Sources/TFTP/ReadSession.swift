/// One read transfer seen from the server: a state machine without I/O. The caller feeds events with the time, does what it is told,
/// and wakes it at ``deadline``.
public struct ReadSession: Sendable {
    public enum Event: Sendable {
        case started
        /// An ACK: what nearly every packet is.
        case acknowledged(UInt16)
        case received(Packet)
        /// ``deadline`` has passed.
        case timerFired
    }

    public enum Action: Sendable {
        case wait
        case sendOptions([(name: String, value: String)])
        /// DATA, by the blocks' numbers counted from 1 without wrapping; see ``block(_:)``.
        case sendBlocks(ClosedRange<Int>)
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
        case awaitingOptionsAck
        /// Blocks up to `acknowledged` have arrived; up to `sent` are on their way.
        case sending(acknowledged: Int, sent: Int)
        case finished
    }

    private var state = State.idle
    private let fileSize: Int
    private let negotiation: Negotiation
    private var timing: RetransmissionTiming
    /// When the client last showed that something arrived.
    private var progressAt: Nanoseconds = 0
    /// The window went out again because the client said twice where it is; once for each place.
    private var repeatedAfter = -1
    /// Whether the client has heard us: until then a repeated request is only that.
    public private(set) var isHeard = false
    /// Blocks sent again so far.
    public private(set) var retransmissions = 0
    /// When it wants to be woken; time since the same moment as that of the events.
    public private(set) var deadline: Nanoseconds = 0

    public init(fileSize: Int, negotiation: Negotiation) {
        (self.fileSize, self.negotiation) = (fileSize, negotiation)
        // Who asked for a time is never left waiting longer (RFC 2349).
        let isAsked = negotiation.acknowledged.contains { $0.name == "timeout" }
        let timeout = Self.nanoseconds(negotiation.timeout)
        timing = RetransmissionTiming(initial: timeout, longest: isAsked ? timeout : Self.longestWait)
    }

    /// Without a sign of life for so long the client counts as gone. Firmware that waits for a person, or writes to flash, may
    /// take its time.
    static let patience: Nanoseconds = 30_000_000_000
    /// For an answer, however slow the round trips are.
    static let longestWait: Nanoseconds = 4_000_000_000

    /// The last block is shorter than the others, and may be empty.
    private var blockCount: Int { fileSize / negotiation.blockSize + 1 }

    /// How long the client's answers take; nil before the first.
    public var roundTrip: Nanoseconds? { timing.smoothed }

    /// Bytes of a full block.
    public var blockSize: Int { negotiation.blockSize }

    /// A block's number on the wire, which wraps at 65535, and the part of the file in it.
    public func block(_ index: Int) -> (number: UInt16, offset: Int, length: Int) {
        let offset = (index - 1) * negotiation.blockSize
        return (UInt16(truncatingIfNeeded: index), offset, min(negotiation.blockSize, fileSize - offset))
    }

    public mutating func handle(_ event: Event, at now: Nanoseconds) -> Action {
        switch (state, event) {
        case (.idle, .started):
            progressAt = now
            guard !negotiation.acknowledged.isEmpty else { return send(after: 0, at: now) }
            state = .awaitingOptionsAck
            return sendOptions(at: now)
        case (_, .received(.acknowledgment(let block))): return handle(.acknowledged(block), at: now)
        case (.awaitingOptionsAck, .acknowledged(0)):
            return progress(to: 0, at: now)
        case (.awaitingOptionsAck, .timerFired):
            guard now - progressAt < patience else { return finish(.timedOut(block: 0)) }
            timing.backOff()
            retransmissions += 1
            return sendOptions(at: now)
        case (.awaitingOptionsAck, .received(.error(let code, let message))):
            return finish(code == .optionsRefused || message.contains("abort") ? .probed : .refused(message))
        case (.sending(let acknowledged, let sent), .acknowledged(let block)):
            return acknowledge(block, acknowledged: acknowledged, sent: sent, at: now)
        case (.sending(let acknowledged, let sent), .timerFired):
            guard now - progressAt < patience else { return finish(.timedOut(block: acknowledged + 1)) }
            timing.backOff()
            retransmissions += sent - acknowledged
            return send(after: acknowledged, at: now)
        case (.sending, .received(.error(_, let message))):
            return finish(.refused(message))
        case (.idle, _), (_, .started), (.awaitingOptionsAck, _), (.sending, _), (.finished, _):
            return .wait
        }
    }

    private var patience: Nanoseconds { max(Self.patience, Self.nanoseconds(negotiation.timeout) * 6) }

    private static func nanoseconds(_ duration: Duration) -> Nanoseconds {
        duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
    }

    private mutating func acknowledge(_ block: UInt16, acknowledged: Int, sent: Int, at now: Nanoseconds) -> Action {
        // Block numbers wrap at 65535 → 0: the one meant is the one within the window.
        let ahead = Int(block &- UInt16(truncatingIfNeeded: acknowledged))
        if ahead == 0, negotiation.windowSize > 1, sent > acknowledged + 1, repeatedAfter != acknowledged {
            // The client says where it is: the first block of the window is lost (RFC 7440 §4). Once only, since it may also be
            // the echo of a window that was sent twice.
            repeatedAfter = acknowledged
            retransmissions += sent - acknowledged
            return send(after: acknowledged, at: now, again: true)
        }
        // A duplicate of an old ACK never triggers a resend (RFC 1123 §4.2.3.1); one ahead of what was sent is none of ours.
        guard ahead > 0, acknowledged + ahead <= sent else { return .wait }
        let arrived = acknowledged + ahead
        guard arrived < blockCount else { return finish(.completed) }
        // An ACK inside the window names the last block before a gap: go on from there (RFC 7440 §4).
        if arrived < sent { retransmissions += sent - arrived }
        return progress(to: arrived, at: now)
    }

    private mutating func progress(to arrived: Int, at now: Nanoseconds) -> Action {
        progressAt = now
        isHeard = true
        timing.answered(at: now)
        return send(after: arrived, at: now)
    }

    private mutating func sendOptions(at now: Nanoseconds) -> Action {
        deadline = timing.sent(at: now)
        return .sendOptions(negotiation.acknowledged)
    }

    private mutating func send(after acknowledged: Int, at now: Nanoseconds, again: Bool = false) -> Action {
        let last = min(acknowledged + negotiation.windowSize, blockCount)
        state = .sending(acknowledged: acknowledged, sent: last)
        deadline = timing.sent(at: now, again: again)
        return .sendBlocks(acknowledged + 1...last)
    }

    private mutating func finish(_ outcome: Outcome) -> Action {
        state = .finished
        return .finish(outcome)
    }
}
