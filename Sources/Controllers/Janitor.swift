import FoundationEssentials
import Logging
import Machines
import ServiceLifecycle
import Store

/// Keeps the store bounded: removes what is past its use.
public struct Janitor: Service {
    let store: any RecordStore
    let logger: Logger
    let now: @Sendable () -> Date

    /// Events beyond this many are removed, the oldest first.
    var eventLimit = 50_000
    /// Finished operations beyond this many, and beside each machine's newest, are removed, the oldest first.
    var operationLimit = 10_000

    public init(store: any RecordStore, logger: Logger, now: @escaping @Sendable () -> Date) {
        (self.store, self.logger, self.now) = (store, logger, now)
    }

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await clean()
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("cleaning up failed, will retry", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: .seconds(600))
            }
        }
    }

    func clean() async throws {
        let now = now()
        // Listed before the machines: a history is written with its machine.
        let histories = try await store.compactMap(PhaseHistory.self) { $0.id }
        let installs = try await store.compactMap(InstallationHistory.self) { $0.id }
        let renderings = try await store.compactMap(InstalledRendering.self) { $0.id }
        let formers = try await store.compactMap(FormerNode.self) { (id: $0.id, machine: $0.machine) }
        let operations = try await store.compactMap(Operation.self) { operation in
            operation.isFinished ? (id: operation.id, createdAt: operation.createdAt) : nil
        }
        let machines = try await store.compactMap(Machine.self) { machine in
            (id: machine.id, session: machine.observed.session, operation: machine.observed.operation)
        }
        let known = Set(machines.map(\.id))
        try await remove(PhaseHistory.self, histories.filter { !known.contains($0) })
        try await remove(InstallationHistory.self, installs.filter { !known.contains($0) })
        try await remove(InstalledRendering.self, renderings.filter { !known.contains($0) })
        try await remove(FormerNode.self, formers.filter { !known.contains($0.machine) }.map(\.id))
        let sessions = Set(machines.compactMap(\.session))
        try await remove(AgentSession.self) {
            !sessions.contains($0.id) && now.timeIntervalSince($0.openedAt) > 86400
        }
        try await remove(BootTicket.self) { now.timeIntervalSince($0.issuedAt) > 86400 }
        try await remove(ReleaseFetch.self) {
            $0.state != .running && now.timeIntervalSince($0.finishedAt ?? $0.createdAt) > 7 * 86400
        }
        try await remove(JoinToken.self) { now.timeIntervalSince($0.expiresAt) > 86400 }
        try await remove(InstallationTicket.self) { now.timeIntervalSince($0.expiresAt) > 86400 }
        // The newest of each machine stays with it: what became of a wipe is in its certificate, and the rest in the events.
        let needed = Set(machines.compactMap(\.operation))
        let old = operations.filter { !needed.contains($0.id) }.sorted { $0.createdAt < $1.createdAt }
        try await remove(Operation.self, old.dropLast(operationLimit).map(\.id))
        // Their ids are ordered by time.
        let events = try await store.compactMap(Event.self) { $0.id }
        try await remove(Event.self, events.dropLast(eventLimit))
    }

    private func remove<Item: Resource>(_: Item.Type, where isOld: (Item) -> Bool) async throws {
        try await remove(Item.self, try await store.compactMap(Item.self) { isOld($0) ? $0.id : nil })
    }

    private func remove<Item: Resource>(_: Item.Type, _ ids: some Sequence<String>) async throws {
        for id in ids { try await store.transaction { $0.delete(Item.self, id) } }
    }
}
