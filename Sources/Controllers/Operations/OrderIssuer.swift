import FoundationEssentials
import Inventory
import Logging
import Machines
import OperatingSystems
import Store

/// Issues the orders of operations. An order with its secrets goes to the agent only; the store keeps what is needed to recognise it.
struct OrderIssuer: Sendable {
    let store: any RecordStore
    let board: SessionBoard
    let planner: OperationPlanner
    let installation: Installation
    let logger: Logger
    let now: @Sendable () -> Date

    /// Seconds in which an install may be begun and carried out.
    static let lifetime: Double = 60 * 60
    /// Seconds in which a wipe or a shell may be begun: what was held back longer is void.
    static let beginning: Double = 10 * 60

    /// The order of an operation's present step.
    func issue(_ step: Operation.Step, _ situation: Situation) async throws {
        guard let session = situation.session, let operation = situation.operation else { return }
        switch step {
        case .install: try await issueInstall(operation, on: situation.machine, session)
        case .wipe: try await issueWipe(operation, on: situation.machine, session)
        case .rescue: try await issueShell(operation, on: situation.machine, session)
        // The cluster does these.
        case .drain, .join: return
        }
    }

    private func issueWipe(_ operation: Operation, on machine: Machine, _ session: Situation.Session) async throws {
        guard let hardware = machine.observed.hardware else { return }
        let plan = try planner.wipePlan(of: operation, on: machine)
        let now = now()
        // A drive that was cut off in mid-erase is locked with this. It is kept before the order leaves, and the next order has the same.
        let secret = try await driveSecret(of: machine)
        let order = Order(
            id: Credential.identifier("order"), operation: operation.id, machine: hardware.facts,
            task: .wipe(plan.order(driveSecret: secret.text)),
            issuedAt: now, expiresAt: now.addingTimeInterval(Self.beginning))
        try await send(order, of: operation, to: machine, session, .wipe) { machine, current, transaction in
            if let made = secret.made { try transaction.put(made) }
            current.order?.wipes = plan
            // What is on the disks is worth nothing from here on.
            (machine.observed.installed, machine.observed.bootVolume) = (nil, nil)
            let disks = plan.targets.map { $0.disk.summary }
            return (
                disks.isEmpty
                    ? "erase what the machine remembers beside its disks" : "erase \(disks.joined(separator: ", "))",
                ["disks": "\(disks.count)", "policy": plan.policy.words]
            )
        }
    }

    private func issueShell(_ operation: Operation, on machine: Machine, _ session: Situation.Session) async throws {
        guard let facts = machine.observed.hardware?.facts, let end = operation.rescueEnd else { return }
        let now = now()
        let order = Order(
            id: Credential.identifier("order"), operation: operation.id, machine: facts,
            task: .shell(ShellOrder(seconds: max(1, end.timeIntervalSince(now)))), issuedAt: now,
            expiresAt: now.addingTimeInterval(Self.beginning))
        try await send(order, of: operation, to: machine, session, .rescue) { _, _, _ in
            ("hold a shell for \(operation.requestedBy) until \(end.formatted(.iso8601))", [:])
        }
    }

    /// Writes the order down and hands it over, if the machine is still where it was and may be changed.
    /// - Parameter note: puts down what the order will make of machine and operation.
    /// - Returns: of `note`: what it is, in words, and facts for the trail.
    func send(
        _ order: Order, of operation: Operation, to machine: Machine, _ session: Situation.Session,
        _ step: Operation.Step,
        _ note: @Sendable (inout Machine, inout Operation, Transaction) async throws -> (String, [String: String])
    ) async throws {
        let signed = try SignedOrder(order, with: installation.orderKey)
        let isIssued = try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, machine.id),
                machine.observed.phase == step.phase, machine.desired.accepted, !machine.desired.protected,
                machine.observed.session == session.id, machine.observed.operation == operation.id,
                let holder = try await transaction.get(AgentSession.self, session.id), holder.trust != nil,
                !holder.voided,
                var current = try await transaction.get(Operation.self, operation.id), !current.isFinished,
                current.step == step, current.abortedBy == nil
            else { return false }
            // Only a delivery that the agent began counts as an attempt; one that died with the daemon does not.
            if current.order == nil || current.order?.session != session.id { current.attempts += 1 }
            current.order = .init(
                id: order.id, session: session.id, issuedAt: order.issuedAt, expiresAt: order.expiresAt)
            let (words, facts) = try await note(&machine, &current, transaction)
            try transaction.put(machine)
            try transaction.put(current)
            try transaction.put(
                Event.now(
                    .orderIssued, machine: machine.id, actor: "lifecycle", "order \(order.id): \(words)",
                    details: facts.merging(["order": order.id, "operation": operation.id]) { $1 }, at: order.issuedAt))
            return true
        }
        guard isIssued else { return }
        board.deliver(signed, order: order.id, to: session.id)
        logger.info("order issued", metadata: ["machine.id": "\(machine.id)", "order": "\(order.id)"])
    }

    /// The password that ATA drives are locked with while they erase themselves. It is the machine's until a wipe ended well: an operation that was
    /// cut off may have left a drive locked with it.
    private func driveSecret(of machine: Machine) async throws -> (text: String, made: Secret?) {
        let id = Secret.drives(of: machine.id)
        if let kept = try await store.get(Secret.self, id) {
            return (try kept.open(with: installation.secretKey), nil)
        }
        // ATA security passwords have 32 bytes (ACS-4 §7.46).
        let text = String(Credential.random().prefix(32))
        return (text, try Secret(id: id, text: text, key: installation.secretKey))
    }

    /// No secrets and nothing written: any agent of this machine may have it.
    func issueStart(_ situation: Situation) async throws {
        let machine = situation.machine
        guard let session = situation.session, let installed = machine.observed.installed,
            let facts = machine.observed.hardware?.facts
        else { return }
        let now = now()
        let order = Order(
            id: Credential.identifier(Self.startPrefix), machine: facts, task: .start(installed), issuedAt: now,
            expiresAt: now.addingTimeInterval(Self.lifetime))
        let signed = try SignedOrder(order, with: installation.orderKey)
        try await store.transaction { transaction in
            try transaction.put(
                Event.now(
                    .orderIssued, machine: machine.id, actor: "lifecycle",
                    "order \(order.id): start \(machine.observed.installedRelease ?? "the installed system") by kexec",
                    details: ["order": order.id], at: now))
        }
        board.deliver(signed, order: order.id, to: session.id)
    }

    /// Orders of this kind belong to no operation.
    static let startPrefix = "start"
}
