import FoundationEssentials
import Machines
import Store
import Synchronization

/// Which operations run, and whose turn is next. Soft state: a daemon that starts anew finds it in the store.
final class OperationDesk: Sendable {
    private let turns: Mutex<OperationTurns>
    /// Why an operation waits, for people.
    private let reasons = Mutex<[String: String]>([:])

    init(limits: OperationLimits) { turns = Mutex(OperationTurns(limits: limits)) }

    /// What runs already has its place. Called before the first machine is looked at.
    func load(_ store: any RecordStore) async throws {
        let running = try await store.compactMap(Operation.self) { operation in
            operation.state == .running && operation.isDestructive ? operation : nil
        }
        for operation in running {
            let rack = try await store.get(Machine.self, operation.machine)?.desired.location?.rack
            turns.withLock { $0.note(running: operation.id, rack: rack) }
        }
    }

    /// - Returns: it may begin now.
    func take(_ operation: Operation, on machine: Machine) -> Bool {
        guard operation.isDestructive else { return true }
        let why = turns.withLock {
            $0.take(operation.id, machine: machine.id, rack: machine.desired.location?.rack)
        }
        reasons.withLock { $0[operation.id] = why }
        return why == nil
    }

    /// It ended, or did not begin.
    /// - Returns: the machine whose turn has come.
    func leave(_ operation: String) -> String? {
        reasons.withLock { _ = $0.removeValue(forKey: operation) }
        return turns.withLock { $0.leave(operation) }
    }

    /// Why it has not begun; nil: nothing of ours keeps it.
    func reason(_ operation: String) -> String? { reasons.withLock { $0[operation] } }
}
