import FoundationEssentials

/// A piece of a machine's serial console or rescue shell, as the `put` messages of `GET /api/v1/machines/{id}/console` and `…/shell` carry it.
public struct ConsoleChunk: Codable, Sendable {
    /// What the machine printed.
    public var data: Data?
    /// For the person: the console was opened, or lost and why.
    public var note: String?
    /// Nothing comes after this one, now or later.
    public var isOver: Bool?

    public init(data: Data? = nil, note: String? = nil, isOver: Bool? = nil) {
        (self.data, self.note, self.isOver) = (data, note, isOver)
    }
}

/// `POST /api/v1/machines/{id}/console`: what a person types.
public struct ConsoleInput: Codable, Sendable {
    /// At most 4096 bytes.
    public var data: Data?
    /// A serial break.
    public var sendsBreak: Bool?

    public init(data: Data? = nil, sendsBreak: Bool? = nil) { (self.data, self.sendsBreak) = (data, sendsBreak) }
}

/// What was printed during one attempt to boot.
public struct ConsoleRecordingView: Codable, Sendable {
    public var id: String
    public var startedAt: Date
    public var lastAt: Date
    /// Absent while it goes on.
    public var endedAt: Date?
    /// Bytes that are kept, and those before them that are not.
    public var bytes: Int
    public var dropped: Int
    /// The screen as it was left, without control characters.
    public var screen: [String]
    /// All that is kept; only of one recording.
    public var data: Data?

    public init(
        id: String, startedAt: Date, lastAt: Date, endedAt: Date?, bytes: Int, dropped: Int, screen: [String],
        data: Data?
    ) {
        (self.id, self.startedAt, self.lastAt, self.endedAt) = (id, startedAt, lastAt, endedAt)
        (self.bytes, self.dropped, self.screen, self.data) = (bytes, dropped, screen, data)
    }
}
