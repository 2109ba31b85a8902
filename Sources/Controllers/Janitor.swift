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
    static let eventLimit = 50_000

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
        let histories = try await store.list(PhaseHistory.self).items.map(\.id)
        let machines = try await store.list(Machine.self).items
        for id in Set(histories).subtracting(machines.map(\.id)) { try await remove(PhaseHistory.self, id) }
        let sessions = Set(machines.compactMap(\.observed.session))
        for session in try await store.list(AgentSession.self).items
        where !sessions.contains(session.id) && now.timeIntervalSince(session.openedAt) > 86400 {
            try await remove(AgentSession.self, session.id)
        }
        for ticket in try await store.list(BootTicket.self).items where now.timeIntervalSince(ticket.issuedAt) > 86400 {
            try await remove(BootTicket.self, ticket.id)
        }
        for token in try await store.list(JoinToken.self).items where now.timeIntervalSince(token.expiresAt) > 86400 {
            try await remove(JoinToken.self, token.id)
        }
        let events = try await store.list(Event.self).items
        for event in events.dropLast(Self.eventLimit) { try await remove(Event.self, event.id) }
    }

    private func remove<Item: Resource>(_: Item.Type, _ id: String) async throws {
        try await store.transaction { $0.delete(Item.self, id) }
    }
}
