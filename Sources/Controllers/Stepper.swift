import FoundationEssentials
import Logging
import Machines
import Store

/// Carries out the lifecycle's steps for one machine until there is nothing to do now.
struct Stepper: Sendable {
    let store: any RecordStore
    let board: SessionBoard
    let machines: MachineService
    let orders: OrderIssuer
    let planner: InstallPlanner
    let logger: Logger
    let now: @Sendable () -> Date

    private static let actor = "lifecycle"

    /// - Returns: when to look again at the latest.
    func settle(_ id: String) async throws -> Date? {
        // Bounded: a lifecycle that never settles is a bug to be seen, not a loop to be in.
        for _ in 0..<16 {
            guard let situation = try await situation(of: id) else { return nil }
            let step = Lifecycle.next(situation)
            switch step {
            case .wait(let due): return due
            case .advance(let phase, let reason): try await enter(phase, situation, reason: reason)
            case .fail(let reason): try await fail(situation, reason: reason)
            case .complete(let node): try await complete(situation, node: node)
            case .issueInstall: try await orders.issue(situation)
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
        var situation = Situation(machine: machine, now: now)
        if let operation = machine.observed.operation {
            situation.operation = try await store.get(Operation.self, operation)
        }
        if let id = machine.observed.session, let session = try await store.get(AgentSession.self, id) {
            situation.session = .init(
                id: id, openedAt: session.openedAt, live: board.isLive(session, at: now), trusted: session.trust != nil,
                idle: board.isIdle(id), mayStart: session.isKnownHardware == true && board.isUnordered(id))
        }
        if let node = try await store.get(Node.self, machine.hostname), node.machine == id { situation.node = node }
        if let operation = situation.operation, !operation.isFinished, operation.installedAt == nil {
            situation.obstacle = await planner.obstacle(to: operation, on: machine)
        }
        return situation
    }

    /// The store refuses the write when anything changed since we looked; then we look again.
    private func enter(_ phase: Phase, _ situation: Situation, reason: String) async throws {
        let now = now()
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, situation.machine.id),
                machine.observed.phase == situation.machine.observed.phase
            else { return }
            let event = machine.enter(phase, reason: reason, actor: Self.actor, at: now)
            if phase == .installing, var operation = try await unfinishedOperation(of: machine, in: transaction) {
                operation.state = .running
                try transaction.put(operation)
            }
            try transaction.put(machine)
            try transaction.put(event)
        }
    }

    private func fail(_ situation: Situation, reason: String) async throws {
        let now = now()
        logger.error("machine failed", metadata: ["machine.id": "\(situation.machine.id)", "reason": "\(reason)"])
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, situation.machine.id),
                machine.observed.phase == situation.machine.observed.phase
            else { return }
            if var operation = try await unfinishedOperation(of: machine, in: transaction) {
                operation.state = .failed
                operation.error = reason
                operation.finishedAt = now
                operation.order = nil
                try transaction.put(operation)
            }
            let event = machine.enter(.failed, reason: reason, actor: Self.actor, at: now)
            try transaction.put(machine)
            try transaction.put(event)
        }
    }

    private func complete(_ situation: Situation, node: String) async throws {
        let now = now()
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, situation.machine.id),
                machine.observed.phase == .joining
            else { return }
            if var operation = try await unfinishedOperation(of: machine, in: transaction) {
                operation.state = .succeeded
                operation.finishedAt = now
                try transaction.put(operation)
            }
            machine.observed.node = node
            machine.set(.nodeReady, true, "registered", at: now)
            machine.set(.agentConnected, false, "the installed system runs", at: now)
            let event = machine.enter(.ready, reason: "registered as node \(node)", actor: Self.actor, at: now)
            try transaction.put(machine)
            try transaction.put(event)
        }
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
        _ = try await machines.setPower(action, of: id, by: Self.actor)
    }

    private func unfinishedOperation(of machine: Machine, in transaction: Transaction) async throws -> Operation? {
        guard let id = machine.observed.operation, let operation = try await transaction.get(Operation.self, id),
            !operation.isFinished
        else { return nil }
        return operation
    }
}
