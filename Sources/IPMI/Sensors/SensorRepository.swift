/// Reads the sensor data repository (§33), record by record in pieces. BMCs differ in how many bytes they return at once (CAh), and
/// anything that changes the repository ends the reservation (C5h).
public struct SensorRepositoryReading: Conversation {
    /// Most records that are read of one BMC.
    public static let most = 2048

    public private(set) var records: [SensorDataRecord] = []
    private enum State { case reserving, header, body(length: Int), done }
    private var state = State.reserving
    private var reservation: [UInt8] = [0, 0]
    private var id: UInt16 = 0
    private var nextID: UInt16 = 0xffff
    private var pieces: PieceReader
    private var seen: Set<UInt16> = []
    private var lostReservations = 0
    private static let header = 5

    /// - Parameter piece: bytes to ask for at once, at first.
    public init(piece: Int = 32) { pieces = PieceReader(total: Self.header, piece: piece) }

    private var request: Request {
        switch state {
        case .reserving: Request("reserve the sensor repository", .storage, 0x22)
        default:
            Request(
                "sensor record \(id)", .storage, 0x23,
                data: reservation + [
                    UInt8(id & 0xff), UInt8(id >> 8), UInt8(clamping: pieces.offset), UInt8(pieces.count),
                ])
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
        case .reserving:
            // Optional where the repository cannot change.
            if code == .success, data.count >= 2 { reservation = Array(data[0..<2]) }
            guard code == .success || code.isUnsupported else { throw .refused(asked, code) }
            state = .header
        case .header, .body:
            if code == .reservationCancelled {
                lostReservations += 1
                guard lostReservations <= 20 else { throw .refused(asked, code) }
                startRecord(id)
                state = .reserving
                return
            }
            if code.asksForLess, pieces.shrink() { return }
            // An empty repository has no first record.
            if code == .notPresent, records.isEmpty { return state = .done }
            guard code == .success else { throw .refused(asked, code) }
            guard data.count >= 3 else { throw .short(asked) }
            nextID = UInt16(data[0]) | UInt16(data[1]) << 8
            pieces.append(data[2...])
            advance()
        }
    }

    private mutating func startRecord(_ id: UInt16) {
        self.id = id
        state = .header
        pieces.total = Self.header
        pieces.restart()
    }

    private mutating func advance() {
        guard pieces.isComplete else { return }
        if case .header = state {
            let length = Int(pieces.bytes[4])
            state = .body(length: length)
            // The offset is one byte: what is longer cannot be read, and no record of use is.
            pieces.total = min(Self.header + length, 255)
            guard pieces.isComplete else { return }
        }
        records.append(SensorDataRecord(pieces.bytes))
        guard nextID != 0xffff, nextID != 0, seen.insert(nextID).inserted, records.count < Self.most else {
            return state = .done
        }
        startRecord(nextID)
    }
}
