import FoundationEssentials

/// What a machine printed on its serial console during one attempt to boot.
public struct ConsoleRecording: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "console"

    /// Bytes of the newest output that are kept.
    public static let capacity = 64 << 10
    /// Recordings kept of one machine.
    public static let kept = 5

    public let id: String
    /// Id of the machine.
    public let machine: String
    public let startedAt: Date
    public private(set) var lastAt: Date
    /// The newest output.
    public private(set) var tail = Data()
    /// Bytes before ``tail``.
    public private(set) var dropped = 0
    /// Nil while it goes on.
    public var endedAt: Date?

    public init(machine: String, at now: Date) {
        id = Self.prefix(of: machine) + Credential.timeOrdered(at: now)
        (self.machine, startedAt, lastAt) = (machine, now, now)
    }

    /// What the ids of a machine's recordings begin with.
    public static func prefix(of machine: String) -> String { machine + "." }

    public mutating func append(_ bytes: [UInt8], at now: Date) {
        lastAt = now
        tail.append(contentsOf: bytes)
        guard tail.count > Self.capacity else { return }
        // Cut to three quarters, so that not every byte moves all the others.
        let surplus = tail.count - Self.capacity * 3 / 4
        dropped += surplus
        tail = Data(tail.dropFirst(surplus))
    }

    /// The screen as it was left.
    public var screen: [String] {
        var screen = TerminalScreen()
        screen.feed(tail)
        return screen.lines
    }
}
