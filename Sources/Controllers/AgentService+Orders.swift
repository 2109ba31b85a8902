import APIModel
import FoundationEssentials
import Inventory
import Machines
import Store

/// What the agent is told to do, and what it says of it.
extension AgentService {
    /// The next order for this session, as soon as there is one.
    public func nextOrder(for session: AgentSession) async -> SessionBoard.Poll {
        let poll = await board.nextOrder(for: session.id, seconds: installation.pollSeconds) {
            // The lifecycle looks once the agent waits: an order lost with a killed daemon is issued anew.
            wakeups.wake(session.machine)
        }
        board.noteCall(session.id, at: now())
        return poll
    }

    public func note(_ progress: OrderProgress, order: String, from session: AgentSession) async throws {
        let former = board.progress(of: session.id)
        board.note(progress, of: session.id)
        guard former?.step != progress.step else { return }
        let now = now()
        try await store.transaction { transaction in
            try transaction.put(
                Event.now(
                    .installProgress, machine: session.machine, actor: "agent", progress.step.words,
                    details: ["step": progress.step.rawValue, "order": order], at: now))
        }
    }

    /// Records how an order ended. Idempotent: the agent repeats it until it is answered.
    public func finish(_ result: OrderResult, order: String, from session: AgentSession) async throws {
        guard !order.hasPrefix(OrderIssuer.startPrefix) else {
            return try await finishStart(result, order, session)
        }
        guard !order.hasPrefix(MachineService.setUpPrefix) else {
            return try await finishSetUp(result, order, session)
        }
        let now = now()
        // Certificates are one chain: of wipes that end at once each has its turn.
        try await store.transaction(attempts: CertificateBook.attempts) { transaction in
            guard var machine = try await transaction.get(Machine.self, session.machine),
                let id = machine.observed.operation, var operation = try await transaction.get(Operation.self, id),
                operation.order?.id == order, let step = operation.step
            else { return }
            if step == .wipe, let disks = result.disks { operation.disks = disks }
            switch result.outcome {
            case .succeeded(let entry):
                switch step {
                case .install:
                    try await finishInstall(&machine, &operation, entry, result.facts, in: transaction, at: now)
                    try await noteLeft(session, in: transaction, at: now)
                case .wipe:
                    try await finishWipe(&machine, &operation, result.facts, session, in: transaction, at: now)
                case .rescue: operation.carriedOutAt = now
                case .drain, .join: break
                }
                operation.order = nil
            case .refused(let refusal):
                operation.finish(.failed, "the agent refused the order, and nothing was changed: \(refusal)", at: now)
                try transaction.put(
                    Event.now(.agentRefused, machine: machine.id, actor: "agent", "order refused: \(refusal)", at: now))
            case .failed(let reason):
                let isTriedAgain = operation.fall(back: reason, at: now)
                try transaction.put(
                    Event.now(
                        .orderFailed, machine: machine.id, actor: "agent",
                        "the order to \(step.rawValue) failed: \(reason)"
                            + (isTriedAgain ? "; it is tried again" : ""),
                        details: result.facts.merging(["order": order]) { $1 }, at: now))
            }
            try transaction.put(machine)
            try transaction.put(operation)
        }
        board.note(nil, of: session.id)
        wakeups.wake(session.machine)
    }

    private func noteLeft(_ session: AgentSession, in transaction: Transaction, at now: Date) async throws {
        guard var session = try await transaction.get(AgentSession.self, session.id) else { return }
        session.leftAt = now
        try transaction.put(session)
    }

    private func finishInstall(
        _ machine: inout Machine, _ operation: inout Operation, _ entry: String, _ facts: [String: String],
        in transaction: Transaction, at now: Date
    ) async throws {
        let release = operation.assignment?.release ?? "the system"
        machine.updatedAt = now
        if operation.order?.runsInstaller == true, let system = operation.order?.installs {
            operation.installer = .init(enteredAt: now, installs: system)
            if var start = try await transaction.get(NetworkStart.self, machine.id), start.order == operation.order?.id
            {
                start.openedAt = now
                operation.installer?.isFromNetwork = true
                try transaction.put(start)
            }
            if operation.order?.endsWhenEntered == true { _ = operation.hear(.installed, about: &machine, at: now) }
            return try transaction.put(
                Event.now(
                    .installerEntered, machine: machine.id, actor: "agent",
                    "enters the installer of \(release) by \(entry)",
                    details: facts.merging(["entry": entry]) { $1 }, at: now))
        }
        machine.observed.installed = operation.order?.installs
        operation.installedAt = now
        machine.observed.installedRelease = operation.assignment?.release
        machine.observed.bootVolume = facts["bootVolume"]
        machine.observed.kexecAt = entry == "kexec" ? now : nil
        try transaction.put(
            Event.now(
                .installWritten, machine: machine.id, actor: "agent",
                "\(release) is written and verified; enters it by \(entry)",
                details: facts.merging(["entry": entry]) { $1 }, at: now))
    }

    /// Every disk of the order is proved to be erased: one that the agent does not tell of is none.
    private func finishWipe(
        _ machine: inout Machine, _ operation: inout Operation, _ facts: [String: String], _ session: AgentSession,
        in transaction: Transaction, at now: Date
    ) async throws {
        guard let plan = operation.order?.wipes else { return }
        let disks = operation.disks ?? []
        if let gap = plan.gap(in: disks) { operation.fall(back: gap, at: now); return }
        let account = WipeAccount(
            machine: machine, operation: operation.id, requestedBy: operation.requestedBy,
            approvedBy: operation.approval?.approvedBy, policy: plan.policy, disks: disks, leftAlone: plan.leftAlone,
            agentVersion: session.agentVersion, startedAt: operation.order?.issuedAt ?? now, endedAt: now)
        operation.certificate = try await certificates.issue(
            account, by: "lifecycle", daemonVersion: Version.current, in: transaction
        ).id
        operation.carriedOutAt = now
        transaction.delete(Secret.self, Secret.drives(of: machine.id))
        machine.updatedAt = now
        try transaction.put(
            Event.now(
                .diskWiped, machine: machine.id, actor: "agent",
                disks.isEmpty
                    ? "\(machine.name): no disk was to be erased"
                    : "\(machine.name): \(disks.count) disks are erased and proved: "
                        + disks.map { "\($0.serial ?? $0.wwn ?? $0.path) by \($0.method?.rawValue ?? "-")" }
                        .joined(separator: ", "),
                details: facts.merging(["operation": operation.id]) { $1 }, at: now))
    }

    /// A system that was started says so itself; one that was not is told of here.
    private func finishStart(_ result: OrderResult, _ order: String, _ session: AgentSession) async throws {
        // Told once, and only of an order that there was.
        guard board.endOrder(order, of: session.id) else { return }
        let now = now()
        let why: String
        switch result.outcome {
        case .succeeded:
            try await store.transaction { transaction in
                guard var machine = try await transaction.get(Machine.self, session.machine) else { return }
                machine.set(.agentConnected, false, "the agent started the installed system", at: now)
                machine.observed.kexecAt = now
                try transaction.put(machine)
                try await noteLeft(session, in: transaction, at: now)
            }
            return
        case .refused(let refusal): why = "\(refusal)"
        case .failed(let reason): why = reason
        }
        try await store.transaction { transaction in
            try transaction.put(
                Event.problem(
                    .kexecFailed, machine: session.machine, mac: session.mac, actor: "agent",
                    "the agent could not start the installed system by kexec: \(why); the machine restarts, and is told another way to its disk",
                    details: ["order": order], at: now))
        }
    }
}
