import FoundationEssentials
import Logging
import Machines
import Metrics
import NetworkAddresses
import OperatingSystems
import ServiceLifecycle
import Store
import Synchronization

/// Hears what Talos machines tell of themselves while they are installed and join. The wire is open and nobody proves who he is: what comes from an
/// address of one machine's is that machine's word, which people are shown, and which ends its waiting in `joining` where the daemon does not see
/// its node. It fails nothing, erases nothing, and counts for no other machine.
public struct TalosEventDesk: TalosListener, Service {
    let store: any RecordStore
    let wakeups: Wakeups
    let logger: Logger
    let now: @Sendable () -> Date

    /// Operations that are listened to, by address.
    private let book = SourceBook()
    /// Of one address, whoever it is.
    private let calls = Allowance(burst: 2000, oneEach: 0.01)
    /// Writes of one operation: each is a transaction on disk.
    private let writes = Allowance(burst: 60, oneEach: 2)
    /// Lines in the trail of one operation.
    private let lines = Allowance(burst: 20, oneEach: 60)
    private let warnings = Allowance(burst: 1, oneEach: 600)

    init(
        store: any RecordStore, wakeups: Wakeups, logger: Logger, now: @escaping @Sendable () -> Date
    ) {
        (self.store, self.wakeups, self.logger, self.now) = (store, wakeups, logger, now)
    }

    private static let actor = "talos"

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            let changes = try await store.follow(Operation.self) { operations in
                for operation in operations { book.note(operation) }
            }
            book.isComplete = true
            for try await change in changes {
                guard let operation = change.item else {
                    book.forget(change.id)
                    continue
                }
                book.note(operation)
            }
        }
    }

    public func hear(_ event: TalosEvent, from address: IPAddress) async throws -> Bool {
        let now = now()
        // Before it knows whom to listen to, a machine's only word would be taken for a stranger's.
        guard book.isComplete, calls.take("\(address)", at: now) == nil else { return count("refused", false) }
        let news = TalosNews(event)
        if let ticket = news.ticket, try await spend(Credential.hash(ticket), news, at: now) {
            return count("heard", true)
        }
        let operations = book.operations(at: address)
        guard operations.count == 1, let id = operations.first else {
            if operations.count > 1, warnings.take("\(address)", at: now) == nil {
                logger.warning(
                    "several Talos machines that are being installed have one address: none is believed",
                    metadata: ["address": "\(address)", "operations": "\(operations.sorted().joined(separator: " "))"])
            }
            return count("ignored", true)
        }
        guard let known = try await store.get(Operation.self, id), isNews(news, known) else {
            return count("ignored", true)
        }
        guard writes.take(id, at: now) == nil else { return count("refused", false) }
        let machine = try await store.transaction { transaction in
            try await write(news, of: id, from: address, at: now, in: transaction)
        }
        guard let machine else { return count("ignored", true) }
        wakeups.wake(machine)
        return count("heard", true)
    }

    private func count(_ outcome: String, _ answer: Bool) -> Bool {
        Counter(label: "talos.events", dimensions: [("outcome", outcome)]).increment()
        return answer
    }

    private func isNews(_ news: TalosNews, _ operation: Operation) -> Bool {
        var operation = operation
        return operation.note(news.words, isFault: news.isFault, at: now())
            || (news.news == .joined && operation.joinedAt == nil && !operation.isFinished)
    }

    /// - Returns: the machine, if that was news.
    private func write(
        _ news: TalosNews, of id: String, from address: IPAddress, at now: Date, in transaction: Transaction
    ) async throws -> String? {
        guard var operation = try await transaction.get(Operation.self, id),
            operation.eventSources?.contains(address) ?? false,
            var machine = try await transaction.get(Machine.self, operation.machine),
            machine.observed.operation == id, [.installing, .joining].contains(machine.observed.phase)
        else { return nil }
        let isStep = news.news.map { operation.hear($0, about: &machine, at: now) } ?? false
        let isWord = operation.note(news.words, isFault: news.isFault, at: now)
        guard isStep || isWord else { return nil }
        try transaction.put(operation)
        if isStep || (news.isFault && lines.take(id, at: now) == nil) {
            try tell(news.words, operation, address, at: now, in: transaction)
        }
        return machine.id
    }

    /// A machine that could not fetch its configuration told where it tried: whoever listened may fetch it now. The ticket ends at once, and the attempt
    /// with it; only who has the ticket can make that happen.
    /// - Returns: whether there was such a ticket.
    private func spend(_ ticket: String, _ news: TalosNews, at now: Date) async throws -> Bool {
        let id = try await store.transaction { transaction -> String? in
            guard let known = try await transaction.get(InstallationTicket.self, ticket), known.isListenedTo ?? false,
                var operation = try await transaction.get(Operation.self, known.operation),
                var machine = try await transaction.get(Machine.self, known.machine),
                operation.ticket == ticket, machine.observed.operation == operation.id, !operation.isFinished
            else { return nil }
            transaction.delete(InstallationTicket.self, ticket)
            operation.ticket = nil
            _ = operation.note(news.words, isFault: true, at: now)
            if operation.hear(.failed, news.words, about: &machine, at: now) { try transaction.put(machine) }
            try transaction.put(operation)
            try tell(
                "\(news.words): its ticket is void, since it was told in the open", operation, nil, at: now,
                in: transaction)
            return machine.id
        }
        if let id { wakeups.wake(id) }
        return id != nil
    }

    private func tell(
        _ words: String, _ operation: Operation, _ address: IPAddress?, at now: Date, in transaction: Transaction
    ) throws {
        var details = ["operation": operation.id]
        details["address"] = address?.description
        try transaction.put(
            Event.now(
                .installerNews, machine: operation.machine, actor: Self.actor, "\(words), by its own word",
                details: details, at: now))
    }
}

/// Which operations are listened to from which address: as many as there are installs under way.
private final class SourceBook: Sendable {
    private struct State {
        var operations: [IPAddress: Set<String>] = [:]
        var addresses: [String: [IPAddress]] = [:]
        var isComplete = false
    }

    private let state = Mutex(State())

    /// All that the store holds was noted.
    var isComplete: Bool {
        get { state.withLock { $0.isComplete } }
        set { state.withLock { $0.isComplete = newValue } }
    }

    func operations(at address: IPAddress) -> Set<String> { state.withLock { $0.operations[address] ?? [] } }

    func note(_ operation: Operation) {
        let addresses = operation.isFinished ? [] : operation.eventSources ?? []
        state.withLock { state in
            guard state.addresses[operation.id] ?? [] != addresses else { return }
            Self.forget(operation.id, &state)
            for address in addresses { state.operations[address, default: []].insert(operation.id) }
            state.addresses[operation.id] = addresses.isEmpty ? nil : addresses
        }
    }

    func forget(_ operation: String) { state.withLock { Self.forget(operation, &$0) } }

    private static func forget(_ operation: String, _ state: inout State) {
        for address in state.addresses.removeValue(forKey: operation) ?? [] {
            state.operations[address]?.remove(operation)
            if state.operations[address]?.isEmpty ?? false { state.operations[address] = nil }
        }
    }
}
