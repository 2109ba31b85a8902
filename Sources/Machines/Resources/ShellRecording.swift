import FoundationEssentials

/// What went through one rescue shell: who looked, what was typed, what was printed.
public struct ShellRecording: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "shell"

    /// Bytes of the newest output that are kept.
    public static let capacity = 128 << 10
    /// Bytes of the newest input that are kept.
    public static let typedCapacity = 32 << 10
    /// People who are noted.
    public static let visitCapacity = 200
    /// Recordings kept of one machine.
    public static let kept = 10

    /// Keys that one person typed in a row.
    public struct Typed: Codable, Equatable, Sendable {
        public var at: Date
        public var by: String
        public var data: Data
    }

    public struct Visit: Codable, Equatable, Sendable {
        public var by: String
        public var since: Date
    }

    /// Id of the order that opened the shell.
    public let id: String
    /// Id of the machine.
    public let machine: String
    public let operation: String
    /// Name of the token that asked for it.
    public let requestedBy: String
    public let startedAt: Date
    /// The newest output.
    public private(set) var tail = Data()
    /// Bytes before ``tail``, of which some may never have arrived.
    public private(set) var dropped: Int64 = 0
    public private(set) var typed: [Typed] = []
    /// All that was ever typed, in bytes.
    public private(set) var typedBytes: Int64 = 0
    public private(set) var visits: [Visit] = []
    /// Nil while it goes on.
    public private(set) var endedAt: Date?
    /// Why it ended.
    public private(set) var end: String?

    public init(id: String, machine: String, operation: String, requestedBy: String, at now: Date) {
        (self.id, self.machine, self.operation) = (id, machine, operation)
        (self.requestedBy, startedAt) = (requestedBy, now)
    }

    /// Where the next output begins, in bytes from the shell's beginning.
    public var position: Int64 { dropped + Int64(tail.count) }

    /// - Parameter position: where `bytes` begin. What was there before is known, and what is missing is marked as lost.
    /// - Returns: what is new of it, with the mark.
    public mutating func append(_ bytes: Data, at position: Int64) -> Data {
        let known = self.position
        var new = Data()
        if position > known {
            // The mark takes no position of its own: what was lost is counted as dropped.
            new = Self.mark(position - known)
            dropped += position - known - Int64(new.count)
            new += bytes
        } else {
            new = Data(bytes.dropFirst(Int(clamping: known - position)))
        }
        tail += new
        guard tail.count > Self.capacity else { return new }
        // Cut to three quarters, so that not every byte moves all the others.
        let surplus = tail.count - Self.capacity * 3 / 4
        dropped += Int64(surplus)
        tail = Data(tail.dropFirst(surplus))
        return new
    }

    static func mark(_ lost: Int64) -> Data { Data("\r\n[\(lost) bytes of output are lost]\r\n".utf8) }

    public mutating func type(_ bytes: Data, by person: String, at now: Date) {
        typedBytes += Int64(bytes.count)
        // A line is one entry: keys come one by one.
        if let last = typed.last, last.by == person, now.timeIntervalSince(last.at) < 60, last.data.count < 1024,
            last.data.last != UInt8(ascii: "\r"), last.data.last != UInt8(ascii: "\n")
        {
            typed[typed.count - 1].data += bytes
        } else {
            typed.append(Typed(at: now, by: person, data: bytes))
        }
        var surplus = typed.reduce(0) { $0 + $1.data.count } - Self.typedCapacity
        while surplus > 0, typed.count > 1 { surplus -= typed.removeFirst().data.count }
    }

    public mutating func visit(by person: String, at now: Date) {
        guard visits.count < Self.visitCapacity else { return }
        visits.append(Visit(by: person, since: now))
    }

    public mutating func finish(_ end: String, at now: Date) { (self.end, endedAt) = (end, now) }

    /// The screen as it was left.
    public var screen: [String] {
        var screen = TerminalScreen()
        screen.feed(tail)
        return screen.lines
    }
}
