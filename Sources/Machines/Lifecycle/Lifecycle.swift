import FoundationEssentials

/// Decides the next step of a machine. Reads no clock and talks to nothing: the same situation gives the same step, so a
/// daemon that was killed goes on from what the store holds.
public enum Lifecycle {
    /// Seconds from "written" to the first word of a system entered by kexec before the machine is restarted through firmware.
    public static let kexecPatience: Double = 10 * 60
    /// Seconds from a power command to a session of the agent before the command is given again: the slowest firmware.
    public static let bootPatience: Double = 30 * 60
    /// Seconds from a power command after which an agent of before that still calls shows that nothing was restarted.
    public static let restartPatience: Double = 3 * 60
    /// Seconds between two looks whether an agent called again that is to be gone.
    static let callInterval: Double = 60
    /// Power commands in one step of an operation.
    public static let maximumPowerCommands = 3
    /// Agents started in one step of an operation: what restarts so often gets nowhere.
    public static let maximumStarts = 6

    public static func next(_ situation: Situation) -> LifecycleStep {
        let machine = situation.machine
        if let limit = machine.observed.phase.deadline(situation.deadlines), situation.now >= since(situation, limit) {
            let reason = overdue(situation, limit: limit)
            // A node that did not leave is a node still.
            guard machine.observed.phase == .draining, let former = situation.operation?.formerPhase else {
                return .fail(reason: reason)
            }
            return .giveUp(to: former, reason: reason)
        }
        if let step = abort(situation) { return step }
        switch machine.observed.phase {
        case .discovered: return discovered(situation)
        case .inspecting: return inspecting(situation)
        case .available, .failed, .ready:
            return begin(situation) ?? start(installedOn: situation) ?? restart(silent: situation) ?? .wait(until: nil)
        case .maintenance: return start(installedOn: situation) ?? .wait(until: nil)
        case .draining: return draining(situation)
        case .wiping: return wiping(situation)
        case .installing: return installing(situation)
        case .joining: return joining(situation)
        case .rescue: return rescue(situation)
        case .rejected, .retired: return .wait(until: nil)
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
        // A machine that is on and silent may be at somebody's work: inspection turns machines on, once, and never cycles them.
        let observed = situation.machine.observed
        let isCommanded = observed.powerCommandAt.map { $0 >= observed.phaseSince } ?? false
        if situation.hasBMC, !isCommanded { return .power(.on, reason: "to boot the agent", afterKexec: false) }
        return .wait(until: deadline(situation))
    }

    /// The first step of what somebody asked for.
    private static func begin(_ situation: Situation) -> LifecycleStep? {
        guard let operation = situation.operation, !operation.isFinished else { return nil }
        guard !operation.waitsForApproval else { return .wait(until: nil) }
        if let obstacle = situation.obstacle {
            return situation.machine.observed.phase == .ready
                ? .giveUp(to: .ready, reason: obstacle) : .fail(reason: obstacle)
        }
        return .begin(reason: operation.purpose)
    }

    static func hasFreshReport(_ situation: Situation) -> Bool {
        guard let session = situation.session, session.live, situation.machine.observed.hardware != nil,
            let reportedAt = situation.machine.observed.hardwareReportedAt
        else { return false }
        return reportedAt >= session.openedAt
    }

    static func deadline(_ situation: Situation) -> Date? {
        situation.machine.observed.phase.deadline(situation.deadlines).map { since(situation, $0) }
    }

    private static func since(_ situation: Situation, _ seconds: Double) -> Date {
        situation.machine.observed.phaseSince.addingTimeInterval(seconds)
    }
}

extension Operation {
    /// Who asked for what, in words.
    public var purpose: String {
        switch verb {
        case .provision: "\(requestedBy) asked for \(assignment?.release ?? "an install")"
        case .reprovision: "\(requestedBy) asked for \(assignment?.release ?? "an install") anew"
        case .wipe: "\(requestedBy) asked for a wipe"
        case .release: "\(requestedBy) released it"
        case .rescue: "\(requestedBy) asked for a rescue shell"
        }
    }
}
