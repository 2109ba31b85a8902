import Machines
import Redfish

extension RedfishController {
    public func eventLog(of bmc: BMCAccess) async throws -> [BMCLogEntry] {
        try await run(bmc, "read the event log") { session in
            try await entries(of: try await log(session), session).map(BMCLogEntry.init)
        }
    }

    public func clearEventLog(of bmc: BMCAccess) async throws {
        try await run(bmc, "clear the event log") { session in
            let log = try await log(session)
            guard let clear = log.clear else {
                throw await session.error(.unsupported, "its log \(log.path) has no action LogService.ClearLog")
            }
            let before = try await entries(of: log, session)
            let answer = try await session.settled(try await session.act(clear, [:], note: ""), "the clearing")
            guard answer.isGood else { throw await session.refusal(answer, "the clearing of \(log.path)") }
            let deadline = ContinuousClock.now.advanced(by: bmc.settle)
            while true {
                // Many write "log cleared" into it at once.
                let left = try await entries(of: log, session).filter(before.contains)
                if left.isEmpty { return }
                guard ContinuousClock.now < deadline else {
                    throw await session.error(
                        .notDone, "it cleared \(log.path), and \(left.count) entries of before are still there")
                }
                try await Task.sleep(for: limits.poll)
            }
        }
    }

    /// Entries of a log that are listed: those of IPMI have ids of two bytes, and some thousand is what real ones hold.
    private static let mostListed = 16_384

    /// The log of the hardware: the BMC's, the system's, or a chassis'.
    private func log(_ session: RedfishSession) async throws -> LogService {
        let system = try await session.system()
        let manager = try await session.manager(of: system)
        var places = [manager?.logServices, system.logServices].compactMap(\.self)
        if places.isEmpty { places = try await session.chassis(of: system).compactMap(\.logServices) }
        var services: [LogService] = []
        for place in places {
            services += try await session.members(of: place, most: 32).compactMap { json in
                json.path.map { LogService(json, at: $0) }
            }
        }
        guard let log = LogService.ofHardware(services) else {
            throw await session.error(.unsupported, "it has no log of the hardware")
        }
        return log
    }

    private func entries(of log: LogService, _ session: RedfishSession) async throws -> [LogRecord] {
        guard let path = log.entries else { return [] }
        // The oldest come first in many: more are read than are shown.
        let members = try await session.entries(of: path, most: Self.mostListed)
        return Array(LogRecord.newestFirst(members.compactMap { LogRecord($0) }).prefix(BMCLogEntry.most))
    }
}

extension BMCLogEntry {
    init(_ record: LogRecord) {
        self.init(
            id: record.id, time: record.created, severity: .init(record.severity), source: record.source,
            message: record.message)
    }
}
