import APIModel
import FoundationEssentials
import Machines
import Store

/// What the agent is told to do, and what it says of it.
extension AgentService {
    /// The next order for this session; nil when none came in time.
    public func nextOrder(for session: AgentSession) async -> SignedOrder? {
        let order = await board.nextOrder(for: session.id, seconds: installation.pollSeconds) {
            // The lifecycle looks once the agent waits: an order lost with a killed daemon is issued anew.
            wakeups.wake(session.machine)
        }
        board.noteCall(session.id, at: now())
        return order
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
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, session.machine),
                let id = machine.observed.operation, var operation = try await transaction.get(Operation.self, id),
                operation.order?.id == order
            else { return }
            let installs = operation.order?.installs
            operation.order = nil
            switch result.outcome {
            case .succeeded(let entry):
                machine.observed.installed = installs
                operation.installedAt = now
                machine.observed.installedRelease = operation.assignment.release
                machine.observed.bootVolume = result.facts["bootVolume"]
                machine.updatedAt = now
                try transaction.put(machine)
                try transaction.put(
                    Event.now(
                        .installWritten, machine: machine.id, actor: "agent",
                        "\(operation.assignment.release) is written and verified; enters it by \(entry)",
                        details: result.facts.merging(["entry": entry]) { $1 }, at: now))
            case .refused(let refusal):
                operation.state = .failed
                operation.finishedAt = now
                operation.error = "the agent refused the order, and nothing was changed: \(refusal)"
                try transaction.put(
                    Event.now(.agentRefused, machine: machine.id, actor: "agent", "order refused: \(refusal)", at: now))
            case .failed(let reason):
                operation.state = .failed
                operation.finishedAt = now
                operation.error = reason
            }
            try transaction.put(operation)
        }
        board.note(nil, of: session.id)
        wakeups.wake(session.machine)
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
                try transaction.put(machine)
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
