import FoundationEssentials

/// How operations end early: taken back by a person, or out of time.
extension Lifecycle {
    /// What a person took back ends where nothing is half done: ahead of an order, and between two steps.
    static func abort(_ situation: Situation) -> LifecycleStep? {
        guard let operation = situation.operation, !operation.isFinished, let person = operation.abortedBy else {
            return nil
        }
        guard let step = operation.step, operation.state == .running else {
            return .abort(to: situation.machine.observed.phase, reason: "\(person) took it back before it began")
        }
        let former = operation.formerPhase ?? .available
        switch step {
        // A system that is on its way up is not stopped; what it becomes is another request.
        case .join: return nil
        case .rescue: return .completeStep(reason: "\(person) ended the rescue shell")
        case .drain:
            guard situation.departure != .left else { return nil }
            return .abort(to: former, reason: "\(person) took it back while its node was leaving")
        case .wipe, .install:
            // An order that an agent has is carried out to its end.
            if let order = operation.order, let session = situation.session, session.live, order.session == session.id,
                !session.idle
            {
                return nil
            }
            if step == .install ? operation.installedAt != nil : operation.carriedOutAt != nil { return nil }
            if operation.attempts > 0 {
                return .abort(
                    to: .failed,
                    reason:
                        "\(person) took it back after the agent had begun to \(step.rawValue): its disks are half done")
            }
            if operation.done.contains(where: { $0.step == .wipe }) {
                return .abort(to: .available, reason: "\(person) took it back after the wipe")
            }
            if operation.done.contains(where: { $0.step == .drain }) {
                return .abort(
                    to: .failed,
                    reason: "\(person) took it back after its node had left the cluster: its disks are as they were")
            }
            return .abort(to: former, reason: "\(person) took it back before anything was done")
        }
    }

    static func overdue(_ situation: Situation, limit: Double) -> String {
        let minutes = "after \(Int(limit / 60)) minutes"
        let name = situation.machine.name
        switch situation.machine.observed.phase {
        case .inspecting:
            return
                "\(minutes) no agent reported this machine's hardware; `slipway machine boot-trace \(name)` says how far its boot came"
        case .installing, .wiping:
            let work = situation.machine.observed.phase == .wiping ? "erased its disks" : "finished the install"
            if let session = situation.session, session.live, !session.trusted {
                return
                    "\(minutes) the agent's session is still not trusted with secrets: no power command of ours preceded "
                    + "this boot; ask again while the agent waits, to confirm that it is this machine"
            }
            if let setback = situation.operation?.setback { return "\(minutes); the last attempt: \(setback.reason)" }
            if let fault = situation.operation?.powerFault { return "\(minutes); \(fault)" }
            if situation.machine.observed.isInFormerSystem {
                return
                    "\(minutes) it has its old system running, and not the agent: its firmware does not reach the network and starts the disk; "
                    + "`slipway machine boot-trace \(name)` says how far its boot came, look at its boot order and the NIC's port"
            }
            return situation.operation?.order == nil
                ? "\(minutes) no agent has asked for the order; is the machine on and booting from the network?"
                : "\(minutes) the agent has not \(work); look at its console"
        case .joining:
            let word = situation.operation?.systemWord.map { "; its last word: \($0.text)" } ?? ""
            return "\(minutes) the installed system has not registered with its cluster; look at its console\(word)"
        case .draining:
            guard case .leaving(let words) = situation.departure else {
                return "\(minutes) the node has not left its cluster"
            }
            return "\(minutes) the node has not left its cluster: \(words); `--no-drain` goes on without it"
        default:
            return "\(minutes) the phase \(situation.machine.observed.phase.rawValue) has not ended"
        }
    }
}
