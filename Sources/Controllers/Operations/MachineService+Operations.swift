import FoundationEssentials
import Inventory
import Machines
import Store

extension MachineService {
    /// What a person asks for.
    public struct OperationRequest: Sendable {
        public var verb: Operation.Verb
        /// Of `provision`; of `reprovision` nil is what the machine has.
        public var assignment: Machine.Assignment?
        public var wipe: WipeRequest?
        /// A machine that is a node leaves its cluster first.
        public var drains: Bool
        /// Of `release`: its disks are erased.
        public var recycles: Bool
        /// Of `rescue`.
        public var rescueSeconds: Double?
        /// Another person has to say yes.
        public var needsApproval: Bool
        /// Of `reprovision`: what people asked of the machine's system is again what it was then.
        public var restores: InstallationRecord?

        public init(
            _ verb: Operation.Verb, assignment: Machine.Assignment? = nil, wipe: WipeRequest? = nil,
            drains: Bool = true, recycles: Bool = true, rescueSeconds: Double? = nil, needsApproval: Bool = false,
            restores: InstallationRecord? = nil
        ) {
            self.restores = restores
            (self.verb, self.assignment, self.wipe, self.drains) = (verb, assignment, wipe, drains)
            (self.recycles, self.rescueSeconds, self.needsApproval) = (recycles, rescueSeconds, needsApproval)
        }
    }

    /// Rescue shells last at most this long, in seconds.
    public static let longestRescue: Double = 24 * 3600

    /// Begins what a person asks for. Nothing of it is done when it throws.
    /// - Parameter generation: the generation the caller saw; nil: whichever it is now.
    public func begin(
        _ request: OperationRequest, on id: String, generation: Int64?, by actor: String
    ) async throws -> (Machine, Operation) {
        if let seconds = request.rescueSeconds, !(60...Self.longestRescue).contains(seconds) {
            throw ServiceError(.invalid, "a rescue shell lasts from a minute to a day", field: "seconds")
        }
        if let assignment = request.assignment { try await check(assignment) }
        if request.drains { try await checkDrain(id, for: request.verb) }
        let now = now()
        let result = try await store.transaction { transaction in
            var machine = try await current(id, generation: generation, in: transaction)
            let newest = try await operation(of: machine, in: transaction)
            try refuse(request.verb.machineVerb, machine, newest)
            let operation = try self.operation(request, machine, by: actor, at: now)
            if let running = newest, !running.isFinished {
                // Asking again for the same thing confirms the session; asking for another while one runs is refused.
                guard running.assignment == operation.assignment, running.wipe == operation.wipe else {
                    throw ServiceError(
                        .conflict,
                        "\(machine.name) is busy with \(running.id), \(running.assignment?.release ?? running.verb.rawValue) for "
                            + "\(running.requestedBy); wait until it ends, or `slipway machine abort \(machine.name)`")
                }
                try await confirmSession(of: &machine, in: transaction, at: now)
                try transaction.put(machine)
                return (machine, running)
            }
            if let record = request.restores {
                (machine.desired.hostname, machine.desired.network) = (record.hostname, record.network)
                machine.desired.patch = record.patch
            }
            let begun = try await put(operation, on: &machine, by: actor, in: transaction, at: now)
            return (machine, begun)
        }
        wakeups.wake(id)
        return result
    }

    /// Tries again what failed, from the step that failed on.
    public func retry(_ id: String, by actor: String) async throws -> (Machine, Operation) {
        let now = now()
        let result = try await store.transaction { transaction in
            var machine = try await current(id, generation: nil, in: transaction)
            let newest = try await operation(of: machine, in: transaction)
            try refuse(.retry, machine, newest)
            guard let failed = newest else { throw ServiceError(.conflict, "nothing of \(machine.name) failed") }
            // What has a node to wait for begins with its install again: the token of the first one is used or void.
            var left = Array(failed.steps.dropFirst(failed.done.count))
            if left == [.join] { left = [.install, .join] }
            let operation = Operation(
                id: Credential.identifier("o"), verb: failed.verb, machine: machine.id, requestedBy: actor,
                steps: left, assignment: failed.assignment, wipe: failed.wipe, rescueSeconds: failed.rescueSeconds,
                approval: failed.approval.map { _ in .init() }, createdAt: now)
            let begun = try await put(operation, on: &machine, by: actor, in: transaction, at: now)
            return (machine, begun)
        }
        wakeups.wake(id)
        return result
    }

    /// What a wipe would do to each disk. Nothing is kept.
    public func wipePlan(_ request: WipeRequest, of id: String, assignment: Machine.Assignment?) async throws
        -> WipePlan
    {
        guard let machine = try await store.get(Machine.self, id) else {
            throw ServiceError(.notFound, "no machine is called \(id)")
        }
        do {
            return try planner.wipePlan(request, on: machine, assignment)
        } catch let obstacle as WipeObstacle {
            throw ServiceError(.conflict, "\(machine.name): \(obstacle)")
        } catch let problem as RootDiskProblem {
            throw ServiceError(.conflict, "\(machine.name): \(problem)")
        }
    }

    private func operation(
        _ request: OperationRequest, _ machine: Machine, by actor: String, at now: Date
    ) throws -> Operation {
        let drain: [Operation.Step] = request.drains && machine.observed.node != nil ? [.drain] : []
        let assignment = request.assignment ?? (request.verb == .reprovision ? machine.desired.assignment : nil)
        let steps: [Operation.Step]
        switch request.verb {
        case .provision: steps = [.install, .join]
        case .reprovision: steps = drain + [.wipe, .install, .join]
        case .wipe: steps = drain + [.wipe]
        case .release: steps = drain + (request.recycles ? [.wipe] : [])
        case .rescue: steps = [.rescue]
        }
        if steps.contains(.install) {
            guard let assignment else {
                throw ServiceError(
                    .invalid, "\(machine.name) was never assigned to a cluster: say which cluster and OS release",
                    field: "cluster")
            }
            if let profile = machine.observed.profile.flatMap({ profiles.profile(named: $0) }),
                let refusal = profile.refusal(of: assignment.release)
            {
                throw ServiceError(.conflict, "\(machine.name): \(refusal)", field: "release")
            }
        }
        return Operation(
            id: Credential.identifier("o"), verb: request.verb, machine: machine.id, requestedBy: actor, steps: steps,
            assignment: steps.contains(.install) ? assignment : nil,
            wipe: steps.contains(.wipe) ? request.wipe ?? WipeRequest() : nil,
            rescueSeconds: request.verb == .rescue ? request.rescueSeconds ?? 3600 : nil,
            approval: request.needsApproval ? .init() : nil, createdAt: now)
    }

    private func put(
        _ operation: Operation, on machine: inout Machine, by actor: String, in transaction: Transaction, at now: Date
    ) async throws -> Operation {
        var operation = operation
        if operation.steps.contains(.wipe) {
            do {
                let plan = try planner.wipePlan(operation.wipe ?? WipeRequest(), on: machine, operation.assignment)
                operation.targets = plan.targets.map { DiskTarget($0.disk) }
            } catch let error as ServiceError {
                throw error
            } catch {
                throw ServiceError(.conflict, "\(machine.name): \(error)")
            }
        }
        if let assignment = operation.assignment { machine.desired.assignment = assignment }
        machine.observed.operation = operation.id
        machine.generation += 1
        machine.updatedAt = now
        try await confirmSession(of: &machine, in: transaction, at: now)
        try transaction.put(machine)
        try transaction.put(operation)
        let what =
            operation.assignment.map { "\(operation.verb.rawValue) \($0.release) into cluster \($0.cluster)" }
            ?? operation.verb.rawValue
        try transaction.put(
            Event.now(
                .machineChanged, machine: machine.id, actor: actor, "\(machine.name): \(what)",
                details: ["operation": operation.id, "steps": operation.steps.map(\.rawValue).joined(separator: ",")],
                at: now))
        return operation
    }

    /// Nobody here can empty a node of a cluster that keeps its own registry.
    private func checkDrain(_ id: String, for verb: Operation.Verb) async throws {
        guard [.reprovision, .wipe, .release].contains(verb), let machine = try await store.get(Machine.self, id),
            let node = machine.observed.node, let name = machine.desired.assignment?.cluster,
            let cluster = try await store.list(Cluster.self).items.first(where: { $0.name == name }), !cluster.isSeen
        else { return }
        throw ServiceError(
            .conflict,
            "\(machine.name) is node \(node) of \(name), a \(cluster.flavor.rawValue) cluster, which slipway does not drain: "
                + "drain and delete the node there, then say --no-drain", field: "drain")
    }

    func check(_ assignment: Machine.Assignment) async throws {
        guard try await store.list(Cluster.self).items.contains(where: { $0.name == assignment.cluster }) else {
            throw ServiceError(
                .invalid, "no cluster is called \(assignment.cluster); see `slipway cluster list`", field: "cluster")
        }
        guard try await store.list(OSRelease.self).items.contains(where: { $0.name == assignment.release }) else {
            throw ServiceError(
                .invalid, "no OS release is called \(assignment.release); see `slipway os list`", field: "release")
        }
    }

    func operation(of machine: Machine, in transaction: Transaction) async throws -> Operation? {
        guard let id = machine.observed.operation else { return nil }
        return try await transaction.get(Operation.self, id)
    }

    /// - Throws: ``ServiceError`` `conflict` when the verb is not for the machine now.
    func refuse(_ verb: MachineVerb, _ machine: Machine, _ operation: Operation?) throws {
        if let words = verb.refusal(VerbFacts(machine, operation: operation)) { throw ServiceError(.conflict, words) }
    }
}

extension Operation.Verb {
    var machineVerb: MachineVerb {
        switch self {
        case .provision: .provision
        case .reprovision: .reprovision
        case .wipe: .wipe
        case .release: .release
        case .rescue: .rescue
        }
    }
}
