import FoundationEssentials
import Machines
import Store

/// What phases machines have been in, and for how long.
public struct HistoryService: Sendable {
    let store: any RecordStore

    /// The newest last; the one that the machine is in has no end.
    public func history(of machine: Machine) async throws -> [PhaseRecord] {
        (try await store.get(PhaseHistory.self, machine.id) ?? PhaseHistory(machine)).records
    }

    public func report(profile: String?, since: Date?) async throws -> [PhaseReport.Row] {
        PhaseReport.rows(try await store.list(PhaseHistory.self).items, profile: profile, since: since)
    }
}
