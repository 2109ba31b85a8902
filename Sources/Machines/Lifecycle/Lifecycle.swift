import FoundationEssentials

/// Decides the next step of a machine. Reads no clock and talks to nothing: the same situation gives the same step, so a
/// daemon that was killed goes on from what the store holds.
public enum Lifecycle {
    /// Seconds from "written" to the first word of a system entered by kexec before the machine is restarted through firmware.
    public static let kexecPatience: Double = 10 * 60

    public static func next(_ situation: Situation) -> LifecycleStep {
        let machine = situation.machine
        if let limit = machine.observed.phase.deadline {
            let deadline = machine.observed.phaseSince.addingTimeInterval(limit)
            if situation.now >= deadline { return .fail(reason: overdue(situation, limit: limit)) }
        }
        switch machine.observed.phase {
        case .discovered: return discovered(situation)
        case .inspecting: return inspecting(situation)
        case .available: return available(situation)
        case .installing: return installing(situation)
        case .joining: return joining(situation)
        case .failed: return failed(situation)
        case .ready, .draining, .maintenance: return start(installedOn: situation) ?? .wait(until: nil)
        case .wiping, .rescue, .rejected, .retired: return .wait(until: nil)
        }
    }

    private static func discovered(_ situation: Situation) -> LifecycleStep {
        guard situation.machine.desired.accepted else { return .wait(until: nil) }
        return hasFreshReport(situation)
            ? .advance(to: .available, reason: "accepted; its hardware report is of this boot")
            : .advance(to: .inspecting, reason: "accepted; waits for its hardware report")
    }

    private static func inspecting(_ situation: Situation) -> LifecycleStep {
        if hasFreshReport(situation) { return .advance(to: .available, reason: "hardware reported") }
        if let step = start(situation) { return step }
        return .wait(until: deadline(situation))
    }

    private static func available(_ situation: Situation) -> LifecycleStep {
        guard let operation = situation.operation, !operation.isFinished else { return .wait(until: nil) }
        if let obstacle = situation.obstacle { return .fail(reason: obstacle) }
        return .advance(to: .installing, reason: "\(operation.requestedBy) asked for \(operation.assignment.release)")
    }

    private static func installing(_ situation: Situation) -> LifecycleStep {
        guard let operation = situation.operation, !operation.isFinished else {
            return .fail(
                reason: situation.operation?.error ?? "no operation asks for this install; provision the machine again")
        }
        if operation.installedAt != nil { return .advance(to: .joining, reason: "image written and verified") }
        if let obstacle = situation.obstacle { return .fail(reason: obstacle) }
        guard let session = situation.session, session.live else {
            return start(situation) ?? .wait(until: deadline(situation))
        }
        // Secrets wait for a trusted session: a person confirms it by provisioning again, or a power command of ours does.
        guard session.trusted else {
            return start(situation) ?? .wait(until: deadline(situation))
        }
        if let order = operation.order, order.session == session.id, situation.now < order.expiresAt, !session.idle {
            return .wait(until: order.expiresAt)
        }
        guard operation.attempts < Operation.maximumAttempts else {
            return .fail(
                reason:
                    "the agent lost the install order \(operation.attempts) times; look at its console and provision again"
            )
        }
        return .issueInstall
    }

    private static func joining(_ situation: Situation) -> LifecycleStep {
        guard let operation = situation.operation, let installedAt = operation.installedAt else {
            return .fail(reason: "no finished install is recorded; provision the machine again")
        }
        if let node = situation.node, node.registeredAt >= operation.createdAt { return .complete(node: node.id) }
        if let step = start(installedOn: situation) { return step }
        let kexecDeadline = installedAt.addingTimeInterval(kexecPatience)
        let commanded = situation.machine.observed.powerCommandAt.map { $0 >= installedAt } ?? false
        guard situation.hasBMC, !commanded else { return .wait(until: deadline(situation)) }
        guard situation.now >= kexecDeadline else { return .wait(until: kexecDeadline) }
        return .power(
            .cycle, reason: "no sign of life \(Int(kexecPatience / 60)) minutes after the install", afterKexec: true)
    }

    private static func failed(_ situation: Situation) -> LifecycleStep {
        guard let operation = situation.operation, !operation.isFinished else { return .wait(until: nil) }
        if let obstacle = situation.obstacle { return .fail(reason: obstacle) }
        return .advance(
            to: .installing, reason: "\(operation.requestedBy) asked again for \(operation.assignment.release)")
    }

    /// The power command that brings an agent up, once in a phase; nil when there is no BMC or it was given already.
    /// A machine that is on and silent may be at somebody's work, so inspection turns machines on and never cycles them.
    private static func start(_ situation: Situation) -> LifecycleStep? {
        let observed = situation.machine.observed
        let commanded = observed.powerCommandAt.map { $0 >= observed.phaseSince } ?? false
        guard situation.hasBMC, !commanded else { return nil }
        return observed.phase == .installing
            ? .power(.cycle, reason: "no trusted agent session to install with", afterKexec: false)
            : .power(.on, reason: "to boot the agent", afterKexec: false)
    }

    /// An agent on a machine that has its system was booted to start it: the way to the disk of ``LocalDiskMethod/agentKexec``.
    private static func start(installedOn situation: Situation) -> LifecycleStep? {
        let observed = situation.machine.observed
        guard let session = situation.session, session.live, session.mayStart, observed.installed?.takesKexec ?? false,
            session.openedAt >= situation.operation?.installedAt ?? observed.phaseSince
        else { return nil }
        return .issueStart
    }

    private static func hasFreshReport(_ situation: Situation) -> Bool {
        guard let session = situation.session, session.live, situation.machine.observed.hardware != nil,
            let reportedAt = situation.machine.observed.hardwareReportedAt
        else { return false }
        return reportedAt >= session.openedAt
    }

    private static func deadline(_ situation: Situation) -> Date? {
        let observed = situation.machine.observed
        return observed.phase.deadline.map { observed.phaseSince.addingTimeInterval($0) }
    }

    private static func overdue(_ situation: Situation, limit: Double) -> String {
        let minutes = "after \(Int(limit / 60)) minutes"
        switch situation.machine.observed.phase {
        case .inspecting:
            return
                "\(minutes) no agent reported this machine's hardware; see `slipway event list` for how far its boot came"
        case .installing:
            if let session = situation.session, session.live, !session.trusted {
                return
                    "\(minutes) the agent's session is still not trusted with secrets: no power command of ours preceded "
                    + "this boot; provision the machine again while the agent waits, to confirm that it is this machine"
            }
            return situation.operation?.order == nil
                ? "\(minutes) no agent has asked for the install order; is the machine on and booting from the network?"
                : "\(minutes) the agent has not finished the install; look at its console"
        case .joining:
            return "\(minutes) the installed system has not registered with its cluster; look at its console"
        default:
            return "\(minutes) the phase \(situation.machine.observed.phase.rawValue) has not ended"
        }
    }
}
