import FoundationEssentials
import Inventory
import Logging
import Machines
import Store

/// Carries out the lifecycle's steps for one machine until there is nothing to do now.
struct Stepper: Sendable {
    let store: any RecordStore
    let board: SessionBoard
    let machines: MachineService
    let orders: OrderIssuer
    let planner: OperationPlanner
    let cluster: any ClusterGateway
    let desk: OperationDesk
    let wakeups: Wakeups
    let logger: Logger
    let now: @Sendable () -> Date

    static let actor = "lifecycle"
    /// Seconds after which an operation that waits for its turn looks again by itself.
    private static let queuePatience: Double = 60

    /// - Returns: when to look again at the latest.
    func settle(_ id: String) async throws -> Date? {
        // Bounded: a lifecycle that never settles is a bug to be seen, not a loop to be in.
        for _ in 0..<16 {
            guard let situation = try await situation(of: id) else { return nil }
            let step = Lifecycle.next(situation)
            switch step {
            case .wait(let due): return due
            case .advance(let phase, let reason): try await enter(phase, situation, reason: reason)
            case .begin(let reason):
                guard let operation = situation.operation, desk.take(operation, on: situation.machine) else {
                    return now().addingTimeInterval(Self.queuePatience)
                }
                try await begin(situation, reason: reason)
            case .completeStep(let reason): try await completeStep(situation, reason: reason)
            case .abort(let phase, let reason):
                let person = situation.operation?.abortedBy ?? Self.actor
                try await end(situation, .aborted, to: phase, reason: reason, actor: person)
            case .giveUp(let phase, let reason):
                try await end(situation, .failed, to: phase, reason: reason, actor: Self.actor)
            case .fail(let reason): try await fail(situation, reason: reason)
            case .fallBack(let reason): try await fallBack(situation, reason: reason)
            case .complete(let node): try await complete(situation, node: node)
            case .askToLeave:
                try await cluster.askToLeave(situation.machine, by: situation.operation?.requestedBy ?? Self.actor)
            case .issue(let step): try await orders.issue(step, situation)
            case .issueStart: try await orders.issueStart(situation)
            case .power(let action, let reason, let afterKexec):
                try await command(action, situation, reason: reason, afterKexec: afterKexec)
            }
        }
        logger.error("the lifecycle does not settle", metadata: ["machine.id": "\(id)"])
        return now().addingTimeInterval(60)
    }

    private func situation(of id: String) async throws -> Situation? {
        guard let machine = try await store.get(Machine.self, id) else { return nil }
        let now = now()
        var situation = Situation(machine: machine, deadlines: planner.deadlines(of: machine), now: now)
        if let operation = machine.observed.operation {
            situation.operation = try await store.get(Operation.self, operation)
        }
        if let id = machine.observed.session, let session = try await store.get(AgentSession.self, id) {
            situation.session = .init(
                id: id, openedAt: session.openedAt, calledAt: board.lastCall(of: session),
                live: board.isLive(session, at: now), trusted: session.trust != nil,
                idle: board.isIdle(id), mayStart: session.isKnownHardware == true && board.isUnordered(id))
        }
        if let node = try await store.get(Node.self, machine.hostname), node.machine == id { situation.node = node }
        if machine.observed.phase == .joining, let name = situation.operation?.assignment?.cluster {
            let cluster = try await store.list(Cluster.self).items.first { $0.name == name }
            situation.isClusterSeen = cluster?.isSeen ?? true
        }
        if machine.observed.phase == .draining { situation.departure = try await cluster.departure(of: machine) }
        if let operation = situation.operation, !operation.isFinished {
            situation.obstacle = await planner.obstacle(to: operation, on: machine)
        }
        return situation
    }

    /// The store refuses the write when anything changed since we looked; then we look again.
    private func enter(_ phase: Phase, _ situation: Situation, reason: String) async throws {
        try await change(situation) { machine, _, transaction, now in
            try transaction.put(
                try await machine.enter(phase, reason: reason, actor: Self.actor, at: now, in: transaction))
        }
    }

    /// An operation without steps is done as soon as it begins.
    private func begin(_ situation: Situation, reason: String) async throws {
        let isEmpty = situation.operation?.step == nil
        let isDone = try await change(situation) { machine, operation, transaction, now in
            guard var current = operation, !current.isFinished else { return }
            current.state = .running
            current.formerPhase = machine.observed.phase
            current.stepSince = now
            operation = current
            guard let step = current.step else { return }
            try transaction.put(
                try await machine.enter(step.phase, reason: reason, actor: Self.actor, at: now, in: transaction))
        }
        if isEmpty, isDone { try await completeStep(situation, reason: reason) }
    }

    private func completeStep(_ situation: Situation, reason: String) async throws {
        let step = situation.operation?.step
        // Before it is written down: what was asked of the cluster twice changes nothing.
        if step == .drain || step == .wipe { try await cluster.remove(situation.machine) }
        let isDone = try await change(situation) { machine, operation, transaction, now in
            guard var current = operation, !current.isFinished, current.step == step else { return }
            current.completeStep(at: now)
            machine.note(done: step, at: now)
            if step == .wipe { transaction.delete(FormerNode.self, machine.hostname) }
            if step == .rescue { try await Self.voidSession(of: machine, in: transaction) }
            if let next = current.step {
                current.stepSince = now
                try transaction.put(
                    try await machine.enter(next.phase, reason: reason, actor: Self.actor, at: now, in: transaction))
            } else {
                let goal = machine.goal(of: current)
                current.finish(.succeeded, nil, at: now)
                try transaction.put(
                    try await machine.enter(goal, reason: reason, actor: Self.actor, at: now, in: transaction))
            }
            operation = current
        }
        guard isDone, let operation = situation.operation else { return }
        if operation.done.count + 1 >= operation.steps.count { leave(operation.id) }
        if step == .rescue, let former = operation.formerPhase, BootPolicy.isHandedToDisk(former) {
            // It has a system, and goes back to it.
            do {
                _ = try await machines.setPower(.cycle, of: situation.machine.id, by: Self.actor)
            } catch {
                logger.warning(
                    "a machine stays in the agent after its rescue shell",
                    metadata: ["machine.id": "\(situation.machine.id)", "error": "\(error)"])
            }
        }
    }

    /// Ends an operation with nothing half done.
    private func end(
        _ situation: Situation, _ state: Operation.State, to phase: Phase, reason: String, actor: String
    ) async throws {
        if situation.machine.observed.phase == .draining { try await cluster.mayStay(situation.machine) }
        try await change(situation) { machine, operation, transaction, now in
            guard var current = operation, !current.isFinished else { return }
            current.finish(state, reason, at: now)
            operation = current
            guard machine.observed.phase != phase else {
                return try transaction.put(
                    Event.now(
                        state == .failed ? .problem : .machineChanged, machine: machine.id, actor: actor,
                        "\(machine.name): \(current.verb.rawValue) \(current.id) was not begun: \(reason)",
                        details: ["operation": current.id], at: now))
            }
            try transaction.put(
                try await machine.enter(
                    phase, reason: reason, actor: actor, operation: current, at: now, in: transaction))
        }
        if let id = situation.operation?.id { leave(id) }
    }

    private func fallBack(_ situation: Situation, reason: String) async throws {
        try await change(situation) { machine, operation, transaction, now in
            guard let step = operation?.step, operation?.isFinished == false else { return }
            let isTriedAgain = operation?.fall(back: reason, at: now) ?? false
            try transaction.put(
                Event.now(
                    .orderFailed, machine: machine.id, actor: Self.actor,
                    "the order to \(step.rawValue) failed: \(reason)" + (isTriedAgain ? "; it is tried again" : ""),
                    at: now))
        }
    }

    private func fail(_ situation: Situation, reason: String) async throws {
        logger.error("machine failed", metadata: ["machine.id": "\(situation.machine.id)", "reason": "\(reason)"])
        try await change(situation) { machine, operation, transaction, now in
            if operation?.isFinished == false { operation?.finish(.failed, reason, at: now) }
            if let ticket = operation?.ticket { transaction.delete(InstallationTicket.self, ticket) }
            // Also where its agent says that there was no shell.
            if machine.observed.phase == .rescue { try await Self.voidSession(of: machine, in: transaction) }
            try transaction.put(
                try await machine.enter(
                    .failed, reason: reason, actor: Self.actor, operation: operation, at: now, in: transaction))
        }
        if let id = situation.operation?.id { leave(id) }
    }

    /// Whoever had a shell beside the agent may have changed it: it gets no order and no secret any more, and restarts.
    private static func voidSession(of machine: Machine, in transaction: Transaction) async throws {
        guard let id = machine.observed.session, var session = try await transaction.get(AgentSession.self, id) else {
            return
        }
        (session.voided, session.trust) = (true, nil)
        try transaction.put(session)
    }

    private func complete(_ situation: Situation, node: String) async throws {
        try await change(situation) { machine, operation, transaction, now in
            if operation?.isFinished == false {
                operation?.completeStep(at: now)
                operation?.finish(.succeeded, nil, at: now)
            }
            if let ticket = operation?.ticket { transaction.delete(InstallationTicket.self, ticket) }
            machine.observed.node = node
            if let id = operation?.id, var history = try await transaction.get(InstallationHistory.self, machine.id) {
                history.succeed(id, at: now)
                try transaction.put(history)
            }
            if situation.isClusterSeen { machine.set(.nodeReady, true, "registered", at: now) }
            machine.set(.agentConnected, false, "the installed system runs", at: now)
            try transaction.put(
                try await machine.enter(
                    .ready,
                    reason: situation.isClusterSeen
                        ? "registered as node \(node)" : "joined as \(node), by its own word", actor: Self.actor,
                    at: now, in: transaction))
        }
        if let id = situation.operation?.id { leave(id) }
    }

    private func command(_ action: PowerAction, _ situation: Situation, reason: String, afterKexec: Bool) async throws {
        let id = situation.machine.id
        if afterKexec {
            try await store.transaction { transaction in
                guard var machine = try await transaction.get(Machine.self, id) else { return }
                machine.observed.kexecFailed = true
                try transaction.put(machine)
            }
        }
        logger.info("power command", metadata: ["machine.id": "\(id)", "action": "\(action)", "reason": "\(reason)"])
        do {
            _ = try await machines.setPower(action, of: id, by: Self.actor)
        } catch {
            let former = situation.machine.observed.powerCommandAt
            try await change(situation) { machine, operation, _, _ in
                operation?.powerFault = "\(reason): \(error)"
                // One that may have been done counts.
                if machine.observed.powerCommandAt != former { operation?.powerCommands += 1 }
            }
            throw error
        }
        try await change(situation) { _, operation, _, _ in
            operation?.powerFault = nil
            operation?.powerCommands += 1
        }
    }

    /// Another operation may begin.
    private func leave(_ operation: String) {
        if let next = desk.leave(operation) { wakeups.wake(next) }
    }

    /// Writes what `body` makes of the machine and its operation, unless the machine went on to another phase since we looked.
    @discardableResult private func change(
        _ situation: Situation,
        _ body: @Sendable (inout Machine, inout Operation?, Transaction, Date) async throws -> Void
    ) async throws -> Bool {
        let now = now()
        return try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, situation.machine.id),
                machine.observed.phase == situation.machine.observed.phase,
                machine.observed.operation == situation.operation?.id
            else { return false }
            var operation: Operation?
            if let id = situation.operation?.id { operation = try await transaction.get(Operation.self, id) }
            let former = (machine, operation)
            try await body(&machine, &operation, transaction, now)
            if machine != former.0 { try transaction.put(machine) }
            if let operation, operation != former.1 { try transaction.put(operation) }
            return true
        }
    }
}

extension Machine {
    /// What a step that ended leaves.
    fileprivate mutating func note(done step: Operation.Step?, at now: Date) {
        switch step {
        case .drain:
            observed.node = nil
            clear(.nodeReady)
        case .wipe:
            (observed.installed, observed.installedRelease, observed.bootVolume) = (nil, nil, nil)
            (observed.node, observed.formerSystemAt) = (nil, nil)
            clear(.nodeReady)
            clear(.hardwareChanged)
        case .install, .join, .rescue, nil: break
        }
    }

    /// Where an operation leaves it once all of its steps are done.
    fileprivate mutating func goal(of operation: Operation) -> Phase {
        switch operation.verb {
        case .provision, .reprovision: return .ready
        case .wipe, .release:
            desired.assignment = nil
            return .available
        case .rescue: return operation.formerPhase ?? .available
        }
    }
}
