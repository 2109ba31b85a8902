import FoundationEssentials

/// New entries of a log that is read again and again. Reads only while it is asked for the next one.
public actor EventLogFeed {
    private let read: @Sendable () async throws -> [BMCLogEntry]
    private let interval: Duration
    private var waiting: [BMCLogEntry] = []
    private var known: Set<String>?

    /// - Parameter read: the log, the newest entry first.
    public init(interval: Duration = .seconds(30), read: @escaping @Sendable () async throws -> [BMCLogEntry]) {
        (self.interval, self.read) = (interval, read)
    }

    public func next() async throws -> BMCLogEntry? {
        while waiting.isEmpty {
            if known != nil { try await Task.sleep(for: interval) }
            let log = try await read()
            if let known { waiting = log.filter { !known.contains(Self.key($0)) }.reversed() }
            known = Set(log.map(Self.key))
        }
        return waiting.removeFirst()
    }

    /// After the log was cleared its numbers begin anew.
    private static func key(_ entry: BMCLogEntry) -> String {
        "\(entry.id) \(entry.time?.timeIntervalSince1970 ?? 0) \(entry.message)"
    }
}
