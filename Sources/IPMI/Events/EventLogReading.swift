/// Reads the system event log (§31), oldest first, and keeps the newest entries.
public struct EventLogReading: Conversation {
    /// Most records that are looked at: the ids are two bytes, real logs have some thousand.
    public static let most = 16384

    /// The newest ones, oldest first.
    public private(set) var entries: [EventLogEntry] = []
    /// Records that were read.
    public private(set) var count = 0
    private let keep: Int
    private let only: Int
    private enum State { case info, reserving, reading, done }
    private var state = State.info
    private var reservation: [UInt8] = [0, 0]
    private var id: UInt16 = 0
    private var nextID: UInt16 = 0xffff
    private var isWhole = true
    private var pieces = PieceReader(total: 16, piece: 16)
    private var seen: Set<UInt16> = []
    private var lostReservations = 0

    /// - Parameters:
    ///   - keep: how many of the newest are kept.
    ///   - only: how many are read at all.
    ///   - from: the id of the first one; 0 is the oldest, FFFFh the newest (§31.5).
    public init(keep: Int, only: Int = Self.most, from: UInt16 = 0) {
        (self.keep, self.only, id) = (keep, min(only, Self.most), from)
    }

    private var request: Request {
        switch state {
        case .info, .done: Request("event log info", .storage, 0x40)
        case .reserving: .reserveEventLog
        case .reading:
            Request(
                "event log entry \(id)", .storage, 0x43,
                data: reservation + [UInt8(id & 0xff), UInt8(id >> 8)]
                    + (isWhole ? [0, 0xff] : [UInt8(pieces.offset), UInt8(pieces.count)]))
        }
    }

    public mutating func next() -> ConversationStep {
        if case .done = state { return .done }
        return .send(request)
    }

    public mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        let asked = request
        switch state {
        case .done: return
        case .info:
            guard code == .success else { throw .refused(asked, code) }
            guard data.count >= 3 else { throw .short(asked) }
            state = data[1] == 0 && data[2] == 0 ? .done : .reading
        case .reserving:
            guard code == .success, data.count >= 2 else { throw .refused(asked, code) }
            reservation = Array(data[0..<2])
            state = .reading
        case .reading:
            if code == .reservationCancelled {
                lostReservations += 1
                guard lostReservations <= 20 else { throw .refused(asked, code) }
                pieces.restart()
                return state = .reserving
            }
            if code.asksForLess {
                // Pieces need a reservation (§31.5).
                if isWhole {
                    (isWhole, pieces) = (false, PieceReader(total: 16, piece: 8))
                    return state = .reserving
                }
                if pieces.shrink() { return }
            }
            // The log was emptied meanwhile.
            if code == .notPresent { return state = .done }
            guard code == .success else { throw .refused(asked, code) }
            guard data.count >= 3 else { throw .short(asked) }
            nextID = UInt16(data[0]) | UInt16(data[1]) << 8
            pieces.append(data[2...])
            guard pieces.isComplete else {
                guard !isWhole else { throw .short(asked) }
                return
            }
            take()
        }
    }

    private mutating func take() {
        count += 1
        if let entry = EventLogEntry(pieces.bytes) { entries.append(entry) }
        // In bunches: one at a time would move all of them each time.
        if entries.count >= keep * 2 { entries.removeFirst(entries.count - keep) }
        pieces.restart()
        guard nextID != 0xffff, nextID != 0, count < only, seen.insert(nextID).inserted else {
            entries.removeFirst(max(0, entries.count - keep))
            return state = .done
        }
        id = nextID
    }
}

extension Request {
    /// §31.4.
    static let reserveEventLog = Request("reserve the event log", .storage, 0x42)
}

/// Clears the system event log (§31.9), and waits until the BMC says that it is erased.
public struct EventLogClearing: Conversation {
    private enum State { case reserving, clearing, waiting, asking, done }
    private var state = State.reserving
    private var reservation: [UInt8] = [0, 0]
    private var isBegun = false
    private var lostReservations = 0
    private var looks = 0
    private let pause: Duration
    /// Flash of old BMCs takes tens of seconds.
    private let most: Int

    public init(pause: Duration = .milliseconds(500), most: Int = 120) { (self.pause, self.most) = (pause, most) }

    private var request: Request {
        guard state != .reserving else { return .reserveEventLog }
        let action: UInt8 = isBegun ? 0x00 : 0xaa
        return Request(
            isBegun ? "event log erase status" : "clear the event log", .storage, 0x47,
            data: reservation + [0x43, 0x4c, 0x52, action])
    }

    public mutating func next() -> ConversationStep {
        switch state {
        case .done: return .done
        case .waiting:
            state = .asking
            return .pause(pause)
        case .reserving, .clearing, .asking: return .send(request)
        }
    }

    public mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        let asked = request
        if state == .reserving {
            // Optional in a BMC (§31.4): then zeros do.
            if code == .success, data.count >= 2 { reservation = Array(data[0..<2]) }
            guard code == .success || code.isUnsupported else { throw .refused(asked, code) }
            state = isBegun ? .asking : .clearing
            return
        }
        if code == .reservationCancelled, lostReservations < 20 {
            lostReservations += 1
            return state = .reserving
        }
        // D5h: not while it is being erased. Status is optional in old ones.
        if isBegun, code.isUnsupported { return state = .done }
        guard code == .success || (isBegun && code == .notSupportedInState) else { throw .refused(asked, code) }
        isBegun = true
        if code == .success, let progress = data.first, progress & 15 == 1 { return state = .done }
        looks += 1
        guard looks <= most else { throw .notDone("the event log is still being erased after \(looks) looks") }
        state = .waiting
    }
}
