import FoundationEssentials
import Machines
import Store

/// What people do with operations that there are.
public struct OperationService: Sendable {
    let store: any RecordStore
    let wakeups: Wakeups
    let desk: OperationDesk
    let now: @Sendable () -> Date

    /// - Throws: ``ServiceError`` `notFound`.
    public func operation(_ id: String) async throws -> Operation {
        guard let operation = try await store.get(Operation.self, id) else {
            throw ServiceError(.notFound, "no operation is called \(id); see `slipway operation list`")
        }
        return operation
    }

    /// Why one has not begun, in words; nil: nothing keeps it.
    public func reasonToWait(_ operation: Operation) -> String? {
        guard operation.state == .pending else { return nil }
        if operation.waitsForApproval {
            return "another person says `slipway operation approve \(operation.id)`"
        }
        return desk.reason(operation.id)
    }

    /// A second person's word.
    /// - Throws: ``ServiceError`` `conflict` when it needs none, or the same person asked for it.
    public func approve(_ id: String, by actor: String) async throws -> Operation {
        let now = now()
        let operation = try await store.transaction { transaction in
            guard var operation = try await transaction.get(Operation.self, id) else {
                throw ServiceError(.notFound, "no operation is called \(id); see `slipway operation list`")
            }
            guard operation.state == .pending, operation.waitsForApproval else {
                throw ServiceError(
                    .conflict,
                    "\(id) waits for nobody's word: it is \(operation.state.rawValue)"
                        + (operation.approval?.approvedBy.map { ", approved by \($0)" } ?? ""))
            }
            guard operation.requestedBy != actor else {
                throw ServiceError(.conflict, "\(actor) asked for \(id): somebody else has to approve it")
            }
            operation.approval = .init(by: actor, at: now)
            try transaction.put(operation)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: operation.machine, actor: actor,
                    "\(operation.verb.rawValue) \(id), which \(operation.requestedBy) asked for, is approved",
                    details: ["operation": id], at: now))
            return operation
        }
        wakeups.wake(operation.machine)
        return operation
    }

    /// Takes an operation back at the next point where nothing is half done.
    public func abort(_ id: String, by actor: String) async throws -> Operation {
        let now = now()
        let operation = try await store.transaction { transaction in
            guard var operation = try await transaction.get(Operation.self, id),
                let machine = try await transaction.get(Machine.self, operation.machine)
            else {
                throw ServiceError(.notFound, "no operation is called \(id); see `slipway operation list`")
            }
            guard !operation.isFinished else {
                throw ServiceError(.conflict, "\(id) has \(operation.state.rawValue) already")
            }
            if let words = MachineVerb.abort.refusal(VerbFacts(machine, operation: operation)) {
                throw ServiceError(.conflict, words)
            }
            guard operation.abortedBy == nil else { return operation }
            operation.abortedBy = actor
            try transaction.put(operation)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: operation.machine, actor: actor,
                    "\(machine.name): \(operation.verb.rawValue) \(id) is to end at the next safe point",
                    details: ["operation": id], at: now))
            return operation
        }
        wakeups.wake(operation.machine)
        return operation
    }
}
