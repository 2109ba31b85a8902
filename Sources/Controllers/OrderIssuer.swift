import FoundationEssentials
import Inventory
import Logging
import Machines
import OperatingSystems
import Store

/// Issues install orders. The order with its secrets goes to the agent only; the store keeps what is needed to recognise it.
struct OrderIssuer: Sendable {
    let store: any RecordStore
    let board: SessionBoard
    let planner: InstallPlanner
    let installation: Installation
    let logger: Logger
    let now: @Sendable () -> Date

    /// Seconds in which an order may be begun and carried out.
    static let lifetime: Double = 60 * 60

    func issue(_ situation: Situation) async throws {
        guard let session = situation.session, let operation = situation.operation else { return }
        let machine = situation.machine
        let plan = try await planner.plan(operation, on: machine)
        let now = now()
        let token = Credential.random()
        let order = Order(
            id: Credential.identifier("order"), operation: operation.id, machine: plan.facts,
            task: .install(try install(plan, machine: machine, operation: operation, token: token)), issuedAt: now,
            expiresAt: now.addingTimeInterval(Self.lifetime))
        let signed = try SignedOrder(order, with: installation.orderKey)
        let issued = try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, machine.id),
                machine.observed.phase == .installing,
                machine.desired.accepted, !machine.desired.protected, machine.observed.session == session.id,
                let holder = try await transaction.get(AgentSession.self, session.id), holder.trust != nil,
                !holder.voided,
                var current = try await transaction.get(Operation.self, operation.id), !current.isFinished
            else { return false }
            // Only a delivery that the agent began counts as an attempt; one that died with the daemon does not.
            let begun = current.order == nil || current.order?.session != session.id
            if let former = current.joinToken { transaction.delete(JoinToken.self, former) }
            if begun { current.attempts += 1 }
            current.order = .init(
                id: order.id, session: session.id, issuedAt: now, expiresAt: order.expiresAt,
                installs: InstalledSystem(disk: DiskTarget(plan.disk), entry: plan.driver.entry))
            machine.observed.installed = nil
            try transaction.put(machine)
            let join = JoinToken(
                id: Credential.hash(token), cluster: current.assignment.cluster, machine: machine.id,
                nodeName: machine.hostname, operation: current.id,
                expiresAt: order.expiresAt.addingTimeInterval(Phase.joining.deadline ?? 0))
            current.joinToken = join.id
            try transaction.put(join)
            try transaction.put(current)
            try transaction.put(
                Event.now(
                    .orderIssued, machine: machine.id, actor: "lifecycle",
                    "order \(order.id): install \(plan.release.name) on \(plan.disk.summary)",
                    details: ["order": order.id, "disk": plan.disk.serial ?? plan.disk.wwn ?? plan.disk.path], at: now))
            return true
        }
        guard issued else { return }
        board.deliver(signed, order: order.id, to: session.id)
        logger.info("order issued", metadata: ["machine.id": "\(machine.id)", "order": "\(order.id)"])
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

    private func install(
        _ plan: InstallPlanner.Plan, machine: Machine, operation: Operation, token: String
    ) throws -> InstallOrder {
        let join = JoinConfiguration(
            machine: machine.id, hostname: machine.hostname, cluster: operation.assignment.cluster,
            release: plan.release.name, server: installation.apiURL,
            certificateAuthority: installation.certificateAuthority,
            token: token, network: machine.desired.network)
        let mayKexec = (plan.profile?.kexec ?? true) && !machine.observed.kexecFailed
        return InstallOrder(
            release: plan.release.name,
            image: .init(
                url: installation.bootURL + "/images/" + plan.release.image.sha256, sha256: plan.release.image.sha256,
                compression: plan.release.image.compression, compressedBytes: plan.release.image.compressedBytes,
                rawBytes: plan.release.image.rawBytes),
            disk: DiskTarget(plan.disk),
            files: try plan.driver.configuration(for: join), readBack: plan.profile?.readBack ?? .sampled,
            entry: mayKexec ? plan.driver.entry : .reboot, bootOrder: plan.profile?.bootOrder ?? .networkFirst)
    }
}
