import FoundationEssentials

/// Rows and columns of a person's terminal.
public struct TerminalSize: Codable, Equatable, Sendable {
    public var rows: UInt16
    public var columns: UInt16

    public init(rows: UInt16, columns: UInt16) { (self.rows, self.columns) = (rows, columns) }
}

/// A piece of what a rescue shell printed. Positions count bytes from the shell's beginning.
public struct ShellOutput: Codable, Sendable {
    /// Most bytes of ``data``.
    public static let most = 32 << 10

    /// Where ``data`` begins.
    public var position: Int64
    /// Where the oldest output begins that the agent still has: what lies before it and never arrived is lost.
    public var oldest: Int64
    public var data: Data
    /// Why the shell is over, in words; there is no output after this piece.
    public var end: String?

    public init(position: Int64, oldest: Int64, data: Data, end: String? = nil) {
        (self.position, self.oldest, self.data, self.end) = (position, oldest, data, end)
    }
}

/// Why an agent's shell is over, as ``ShellOutput/end`` says it.
public enum ShellReason {
    /// The person left the shell (`exit`).
    public static let left = "it was left"
    public static let time = "its time is over"
}

public struct ShellReply: Codable, Sendable {
    /// Where the next piece is to begin. Less than was sent: a daemon that was killed asks again for what it had not written down.
    public var next: Int64
    /// What lies before this is written down, and need not be kept.
    public var kept: Int64
    /// The order does not hold any more: the agent ends its shell.
    public var isOver: Bool

    public init(next: Int64, kept: Int64, isOver: Bool) { (self.next, self.kept, self.isOver) = (next, kept, isOver) }
}

/// What people typed into a rescue shell.
public struct ShellInput: Codable, Sendable {
    /// Changes when the daemon lost count; the agent says it with its next call.
    public var epoch: String
    /// Position behind ``data``: the agent says it with its next call, and is not given the same again.
    public var next: Int64
    public var data: Data
    public var size: TerminalSize?
    /// The order does not hold any more: the agent ends its shell.
    public var isOver: Bool

    public init(epoch: String, next: Int64, data: Data = Data(), size: TerminalSize? = nil, isOver: Bool = false) {
        (self.epoch, self.next, self.data, self.size, self.isOver) = (epoch, next, data, size, isOver)
    }
}

/// `POST /api/v1/machines/{machine}/shell/input`: what a person types, and how large their terminal is.
public struct ShellKeys: Codable, Sendable {
    /// At most 4096 bytes.
    public var data: Data?
    public var size: TerminalSize?

    public init(data: Data? = nil, size: TerminalSize? = nil) { (self.data, self.size) = (data, size) }
}

/// What went through one rescue shell: `GET /api/v1/machines/{machine}/shell-recordings`.
public struct ShellRecordingView: Codable, Sendable {
    public struct Typed: Codable, Sendable {
        public var at: Date
        public var by: String
        public var data: Data

        public init(at: Date, by: String, data: Data) { (self.at, self.by, self.data) = (at, by, data) }
    }

    public struct Visit: Codable, Sendable {
        public var by: String
        public var since: Date

        public init(by: String, since: Date) { (self.by, self.since) = (by, since) }
    }

    public var id: String
    public var operation: String
    public var requestedBy: String
    public var startedAt: Date
    /// Absent while it goes on.
    public var endedAt: Date?
    public var end: String?
    public var visits: [Visit]
    /// Bytes printed, and those of them that are not kept any more.
    public var bytes: Int64
    public var dropped: Int64
    /// Bytes typed.
    public var typedBytes: Int64
    /// The screen as it was left, without control characters.
    public var screen: [String]
    /// All that is kept of what it printed; only of one recording.
    public var data: Data?
    /// All that is kept of what was typed; only of one recording.
    public var typed: [Typed]?

    public init(
        id: String, operation: String, requestedBy: String, startedAt: Date, endedAt: Date?, end: String?,
        visits: [Visit], bytes: Int64, dropped: Int64, typedBytes: Int64, screen: [String], data: Data?,
        typed: [Typed]?
    ) {
        (self.id, self.operation, self.requestedBy, self.startedAt) = (id, operation, requestedBy, startedAt)
        (self.endedAt, self.end, self.visits, self.bytes) = (endedAt, end, visits, bytes)
        (self.dropped, self.typedBytes, self.screen) = (dropped, typedBytes, screen)
        (self.data, self.typed) = (data, typed)
    }
}
