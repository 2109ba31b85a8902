import FoundationEssentials
import IPMI
import Machines

extension IPMIController {
    public func eventLog(of bmc: BMCAccess) async throws -> [BMCLogEntry] {
        try await session(bmc) { session in
            var reading = EventLogReading(keep: BMCLogEntry.most)
            try await session.run(&reading, doing: "read the event log")
            guard !reading.entries.isEmpty else { return [] }
            let sensors = try await Self.names(&session)
            return reading.entries.reversed().map { BMCLogEntry($0, sensors) }
        }
    }

    /// What came into the log behind a position. Reads that and no more: some BMCs take a minute for a whole log.
    /// - Parameter position: nil: what is there is known.
    /// - Returns: the entries, the oldest first, and the position behind them.
    func newEntries(
        of bmc: BMCAccess, behind position: EventLogPosition?
    ) async throws -> (entries: [BMCLogEntry], position: EventLogPosition) {
        let doing = "follow the event log"
        return try await session(bmc) { session in
            guard var position else {
                var newest = EventLogReading(keep: 1, only: 1, from: 0xffff)
                try await session.run(&newest, doing: doing)
                return ([], EventLogPosition(last: newest.entries.last))
            }
            var fresh: [EventLogEntry]?
            if let last = position.last {
                var reading = EventLogReading(keep: BMCLogEntry.most, from: last.id)
                do {
                    try await session.run(&reading, doing: doing)
                    if reading.entries.first == last { fresh = Array(reading.entries.dropFirst()) }
                } catch let error as BMCError where error.reason == .refused {
                    // Its entry is not there any more.
                }
            }
            if fresh == nil {
                // The log was cleared, and begins anew.
                var reading = EventLogReading(keep: BMCLogEntry.most)
                try await session.run(&reading, doing: doing)
                fresh = reading.entries
                position.last = nil
            }
            guard let fresh, let last = fresh.last else { return ([], position) }
            let sensors: [SensorRecord]
            if let known = position.sensors { sensors = known } else { sensors = try await Self.names(&session) }
            return (fresh.map { BMCLogEntry($0, sensors) }, EventLogPosition(last: last, sensors: sensors))
        }
    }

    /// Sensors that entries name; an entry without one is still told.
    private static func names(_ session: inout OpenSession) async throws -> [SensorRecord] {
        do {
            return try await records(&session)
        } catch let error as BMCError where !error.isAbsence {
            return []
        }
    }

    public func clearEventLog(of bmc: BMCAccess) async throws {
        let doing = "clear the event log"
        try await session(bmc) { session in
            // The oldest entry tells whether the log is another one: a BMC may note at once that it was cleared.
            let before = try await Self.oldest(&session, doing)
            var clearing = EventLogClearing(pause: times.erase)
            try await session.run(&clearing, doing: doing)
            let after = try await Self.oldest(&session, doing)
            if let before, before == after {
                throw session.fault(doing, .notDone, "accepted, and the entries of before are still there")
            }
        }
    }

    private static func oldest(_ session: inout OpenSession, _ doing: String) async throws -> [UInt8]? {
        var reading = EventLogReading(keep: 1, only: 1)
        try await session.run(&reading, doing: doing)
        return reading.entries.first?.bytes
    }
}

/// How far a log was followed.
struct EventLogPosition: Sendable {
    /// The newest entry; nil: there was none.
    var last: EventLogEntry?
    /// Read at the first entry that needed them.
    var sensors: [SensorRecord]?
}

/// New entries of a BMC's log by IPMI. Reads only while it is asked for the next one.
actor IPMIEventFeed {
    private let read: @Sendable (EventLogPosition?) async throws -> (entries: [BMCLogEntry], position: EventLogPosition)
    private let interval: Duration
    private var waiting: [BMCLogEntry] = []
    private var position: EventLogPosition?

    init(
        interval: Duration = .seconds(30),
        read: @escaping @Sendable (EventLogPosition?) async throws -> ([BMCLogEntry], EventLogPosition)
    ) {
        (self.interval, self.read) = (interval, read)
    }

    func next() async throws -> BMCLogEntry? {
        while waiting.isEmpty {
            if position != nil { try await Task.sleep(for: interval) }
            (waiting, position) = try await read(position)
        }
        return waiting.removeFirst()
    }
}

extension BMCLogEntry {
    init(_ entry: EventLogEntry, _ sensors: [SensorRecord]) {
        let (source, message, severity) = entry.told(sensors)
        self.init(
            id: "\(entry.id)", time: entry.time.map { Date(timeIntervalSince1970: Double($0)) },
            severity: .init(severity), source: source, message: message)
    }
}
