import FoundationEssentials
import IPMI
import Machines

extension IPMIController {
    public func eventLog(of bmc: BMCAccess) async throws -> [BMCLogEntry] {
        try await session(bmc) { session in
            var reading = EventLogReading(keep: BMCLogEntry.most)
            try await session.run(&reading, doing: "read the event log")
            guard !reading.entries.isEmpty else { return [] }
            // Names of sensors; an entry without one is still told.
            var sensors: [SensorRecord] = []
            do {
                sensors = try await Self.records(&session)
            } catch let error as BMCError where !error.isAbsence {}
            return reading.entries.reversed().map { entry in
                let (source, message, severity) = entry.told(sensors)
                return BMCLogEntry(
                    id: "\(entry.id)", time: entry.time.map { Date(timeIntervalSince1970: Double($0)) },
                    severity: .init(severity), source: source, message: message)
            }
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
