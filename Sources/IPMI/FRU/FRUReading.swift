/// Reads the inventory of a FRU device (§34): the header, then of each area of interest its own length.
public struct FRUReading: Conversation {
    public private(set) var information = FRUInformation()
    private enum State {
        case info, header
        case areaHead(FRUHeader.Area, Int, rest: [(FRUHeader.Area, Int)])
        case area(FRUHeader.Area, Int, rest: [(FRUHeader.Area, Int)])
        case done
    }
    private var state = State.info
    private let device: UInt8
    private var size = 0
    private var byWords = false
    private var pieces = PieceReader(total: 8, piece: 32)

    /// - Parameter device: 0 is the machine itself.
    public init(device: UInt8 = 0) { self.device = device }

    private var start: Int {
        switch state {
        case .areaHead(_, let offset, _), .area(_, let offset, _): offset
        default: 0
        }
    }

    private var request: Request {
        if case .info = state { return Request("inventory of FRU \(device)", .storage, 0x10, data: [device]) }
        let scale = byWords ? 2 : 1
        let offset = UInt16(clamping: (start + pieces.offset) / scale)
        // A device by words gives them whole.
        let count = max(1, pieces.count / scale)
        return Request(
            "read FRU \(device)", .storage, 0x11,
            data: [device, UInt8(offset & 0xff), UInt8(offset >> 8), UInt8(clamping: count)])
    }

    public mutating func next() -> ConversationStep {
        if case .done = state { return .done }
        return .send(request)
    }

    public mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError) {
        let asked = request
        if case .done = state { return }
        if case .info = state {
            guard code == .success else { throw .refused(asked, code) }
            guard data.count >= 3 else { throw .short(asked) }
            size = Int(data[0]) | Int(data[1]) << 8
            byWords = data[2] & 1 == 1
            state = .header
            if size < 8 { state = .done }
            return
        }
        // 81h: the device is busy (§34.2); sent again by whoever sees it is bounded, so it counts as less.
        if code.asksForLess || code == .setInProgress, pieces.piece > (byWords ? 2 : 1), pieces.shrink() { return }
        guard code == .success else { throw .refused(asked, code) }
        guard let count = data.first, count > 0, data.count > 1 else { throw .short(asked) }
        pieces.append(data[1...].prefix(Int(count) * (byWords ? 2 : 1)))
        if pieces.isComplete { advance() }
    }

    private mutating func advance() {
        let bytes = pieces.bytes
        switch state {
        case .info, .done: return
        case .header:
            guard let header = FRUHeader(bytes) else {
                information.faults.append("no common header")
                return state = .done
            }
            go(to: header.areas.map { ($0.kind, $0.offset) })
        case .areaHead(let kind, let offset, let rest):
            let length = Int(bytes[1]) * 8
            guard length > 0, offset + length <= size else {
                information.faults.append("the \(kind.rawValue) area is cut off")
                return go(to: rest)
            }
            state = .area(kind, offset, rest: rest)
            pieces.total = length
            if pieces.isComplete { advance() }
        case .area(let kind, _, let rest):
            information.add(kind, bytes)
            go(to: rest)
        }
    }

    private mutating func go(to areas: [(FRUHeader.Area, Int)]) {
        guard let (kind, offset) = areas.first else { return state = .done }
        guard offset + 8 <= size else {
            information.faults.append("the \(kind.rawValue) area is cut off")
            return go(to: Array(areas.dropFirst()))
        }
        state = .areaHead(kind, offset, rest: Array(areas.dropFirst()))
        pieces = PieceReader(total: 8, piece: pieces.piece)
    }
}
