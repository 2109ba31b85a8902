import FoundationEssentials
import Machines
import Store

/// Verbs that are done at once.
extension MachineService {
    /// It is none of ours: its firmware gets no answer any more.
    public func reject(_ id: String, by actor: String) async throws -> Machine {
        try await change(id, .reject, by: actor) { machine, transaction, now in
            try await machine.enter(.rejected, reason: "\(actor) rejected it", actor: actor, at: now, in: transaction)
        }
    }

    /// Hands off: nothing is done to it until `resume`.
    public func maintain(_ id: String, reason: String, by actor: String) async throws -> Machine {
        guard reason.count <= 256, PlainText.isPlain(reason) else {
            throw ServiceError(
                .invalid, "a reason has at most 256 characters and no control characters", field: "reason")
        }
        return try await change(id, .maintain, by: actor) { machine, transaction, now in
            machine.observed.formerPhase = machine.observed.phase
            let words = reason.isEmpty ? "\(actor) works on it" : "\(actor) works on it: \(reason)"
            return try await machine.enter(.maintenance, reason: words, actor: actor, at: now, in: transaction)
        }
    }

    /// Back to where it was before maintenance.
    public func resume(_ id: String, by actor: String) async throws -> Machine {
        try await change(id, .resume, by: actor) { machine, transaction, now in
            let former = machine.observed.formerPhase ?? .available
            machine.observed.formerPhase = nil
            return try await machine.enter(
                former == .failed ? .available : former, reason: "\(actor) is done with it", actor: actor, at: now,
                in: transaction)
        }
    }

    /// - Parameter isProtected: no destructive order is issued, and nobody forgets it.
    public func protect(_ id: String, _ isProtected: Bool, by actor: String) async throws -> Machine {
        try await change(id, isProtected ? .protect : .unprotect, by: actor) { machine, transaction, now in
            guard machine.desired.protected != isProtected else { return nil }
            machine.desired.protected = isProtected
            machine.generation += 1
            return .now(
                .machineChanged, machine: id, actor: actor,
                "\(machine.name): \(isProtected ? "protected" : "not protected any more")", at: now)
        }
    }

    /// Out of service for good: its firmware gets no answer any more.
    public func retire(_ id: String, by actor: String) async throws -> Machine {
        try await change(id, .retire, by: actor) { machine, transaction, now in
            try await machine.enter(
                .retired, reason: "\(actor) took it out of service", actor: actor, at: now, in: transaction)
        }
    }

    /// Removes a machine and its secrets. A tombstone stays.
    /// - Parameter isForced: also one that is a node or at work, or whose BMC is gone: nothing is asked of it.
    public func forget(_ id: String, isForced: Bool, by actor: String) async throws -> Tombstone {
        let now = now()
        let tombstone = try await store.transaction { transaction in
            let machine = try await current(id, generation: nil, in: transaction)
            var newest = try await operation(of: machine, in: transaction)
            if !isForced || machine.desired.protected { try refuse(.forget, machine, newest) }
            if newest?.isFinished == false {
                newest?.finish(.aborted, "\(actor) forgot the machine", at: now)
                if let newest { try transaction.put(newest) }
            }
            // Blank disks were seen blank by its own agent.
            let isBlank = machine.condition(.disksBlank)?.status ?? false
            let tombstone = Tombstone(machine, mayHoldData: !isBlank, by: actor, at: now)
            try transaction.put(tombstone)
            if let node = machine.observed.node { transaction.delete(Node.self, node) }
            try await remove(machine, in: transaction)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: id, actor: actor,
                    "\(machine.name) was \(machine.observed.phase.rawValue), and is forgotten\(isForced ? " by force" : "")"
                        + (tombstone.mayHoldData ? "; its disks may hold data" : ""), at: now))
            return (tombstone, newest?.id)
        }
        if let operation = tombstone.1, let next = desk.leave(operation) { wakeups.wake(next) }
        return tombstone.0
    }

    private func change(
        _ id: String, _ verb: MachineVerb, by actor: String,
        _ body: @Sendable (inout Machine, Transaction, Date) async throws -> Event?
    ) async throws -> Machine {
        let now = now()
        let machine = try await store.transaction { transaction in
            var machine = try await current(id, generation: nil, in: transaction)
            try refuse(verb, machine, try await operation(of: machine, in: transaction))
            guard let event = try await body(&machine, transaction, now) else { return machine }
            machine.updatedAt = now
            try transaction.put(machine)
            try transaction.put(event)
            return machine
        }
        wakeups.wake(id)
        return machine
    }
}
