/// Several commands of which each depends on the answers before it. No I/O: who runs it does what `next()` says and hands back
/// each answer, over LAN or inside the machine alike. Every conversation ends, whatever the answers.
public protocol Conversation: Sendable {
    /// What to do now. Asked again without an answer in between it says the same, but for a pause, which is over then.
    mutating func next() -> ConversationStep
    /// The answer to the command that `next()` gave last.
    /// - Parameter data: behind the completion code.
    mutating func receive(_ code: CompletionCode, _ data: [UInt8]) throws(ConversationError)
}

public enum ConversationStep: Equatable, Sendable {
    case send(Request)
    /// Not before this time has passed: the BMC is at work.
    case pause(Duration)
    case done
}

/// Why a conversation ended without what it was for.
public enum ConversationError: Error, Equatable, CustomStringConvertible {
    /// The BMC said no.
    case refused(Request, CompletionCode)
    /// What it answered makes no sense.
    case nonsense(Request, String)
    /// It said yes, and it was not so when read back.
    case notDone(String)
    /// It cannot be done here, and nothing was changed.
    case impossible(String)

    public var description: String {
        switch self {
        case .refused(let request, let code): "\(request.name): \(code)"
        case .nonsense(let request, let words): "\(request.name): \(words)"
        case .notDone(let words), .impossible(let words): words
        }
    }
}

extension ConversationError {
    static func short(_ request: Request) -> Self { .nonsense(request, "the answer is too short") }
}

/// Reads a stretch of bytes in pieces that get smaller when the BMC cannot return so many at once.
struct PieceReader: Sendable {
    /// Bytes wanted; nil while that is not known.
    var total: Int
    private(set) var bytes: [UInt8] = []
    private(set) var piece: Int
    private let least = 1

    init(total: Int, piece: Int) { (self.total, self.piece) = (total, piece) }

    var offset: Int { bytes.count }
    var isComplete: Bool { bytes.count >= total }
    /// Bytes to ask for next: 1 to 255.
    var count: Int { min(max(1, min(piece, total - offset)), 255) }

    /// False when pieces cannot get smaller.
    mutating func shrink() -> Bool {
        guard piece > least else { return false }
        piece = max(least, piece / 2)
        return true
    }

    mutating func append(_ more: some Collection<UInt8>) { bytes += more.prefix(total - offset) }

    mutating func restart() { bytes = [] }
}
