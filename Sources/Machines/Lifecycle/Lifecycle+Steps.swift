import FoundationEssentials

/// The phases in which an operation is at work.
extension Lifecycle {
    static func draining(_ situation: Situation) -> LifecycleStep {
        guard running(situation, .drain) != nil else { return stray(situation) }
        switch situation.departure {
        case nil: return .completeStep(reason: "it is no node any more")
        case .left: return .completeStep(reason: "its node left the cluster")
        case .member: return .askToLeave
        case .leaving: return .wait(until: deadline(situation))
        }
    }

    static func wiping(_ situation: Situation) -> LifecycleStep {
        guard let operation = running(situation, .wipe) else { return stray(situation) }
        if operation.carriedOutAt != nil { return .completeStep(reason: "its disks are erased and proved") }
        return order(operation, situation)
    }

    static func installing(_ situation: Situation) -> LifecycleStep {
        guard let operation = running(situation, .install) else { return stray(situation) }
        if operation.installedAt != nil { return .completeStep(reason: "the system is on its disk") }
        guard let run = operation.installer else { return order(operation, situation) }
        // An agent after it: the machine was started again, from the network.
        if let session = situation.session, session.openedAt > run.enteredAt {
            return .fallBack(
                reason: "the machine restarted before its installer said that it was done; look at its console")
        }
        let due = run.enteredAt.addingTimeInterval(bootPatience)
        let commanded = situation.machine.observed.powerCommandAt.map { $0 >= run.enteredAt } ?? false
        guard run.isFromNetwork ?? false, run.fetchedAt == nil, situation.hasBMC, !commanded else {
            return .wait(until: deadline(situation))
        }
        guard situation.now >= due else { return .wait(until: earlier(due, deadline(situation))) }
        return .power(
            .cycle, reason: "it did not ask the network for its installer in \(Int(bootPatience / 60)) minutes",
            afterKexec: false)
    }

    static func joining(_ situation: Situation) -> LifecycleStep {
        guard let operation = running(situation, .join), let installedAt = operation.installedAt else {
            return .fail(reason: "no finished install is recorded; provision the machine again")
        }
        if let node = situation.node, node.registeredAt >= operation.createdAt { return .complete(node: node.id) }
        if !situation.isClusterSeen, operation.joinedAt != nil { return .complete(node: situation.machine.hostname) }
        if let step = start(installedOn: situation) { return step }
        // One that was entered through firmware has that to go through first.
        let wasKexec = situation.machine.observed.kexecAt.map { $0 >= installedAt } ?? false
        let patience = wasKexec ? kexecPatience : bootPatience
        let due = installedAt.addingTimeInterval(patience)
        let commanded = situation.machine.observed.powerCommandAt.map { $0 >= installedAt } ?? false
        // One that told of its first start is at work.
        guard situation.hasBMC, !commanded, operation.firstBootAt == nil else {
            return .wait(until: deadline(situation))
        }
        guard situation.now >= due else { return .wait(until: earlier(due, deadline(situation))) }
        return .power(
            .cycle, reason: "no sign of life \(Int(patience / 60)) minutes after the install", afterKexec: wasKexec)
    }

    static func rescue(_ situation: Situation) -> LifecycleStep {
        guard let operation = running(situation, .rescue) else { return stray(situation) }
        if operation.carriedOutAt != nil { return .completeStep(reason: "the rescue shell ended") }
        guard let end = operation.rescueEnd, situation.now < end else {
            return .completeStep(reason: "the time of the rescue shell is over")
        }
        // One that waits for orders has none: its order was lost with a killed daemon.
        if let session = situation.session, session.live, session.trusted, !session.idle,
            operation.order?.session == session.id
        {
            return .wait(until: end)
        }
        switch agent(operation, situation) {
        case .present: return .issue(.rescue)
        case .absent(let step): return step ?? .wait(until: end)
        }
    }

    /// Gives a trusted agent the order of the present step.
    private static func order(_ operation: Operation, _ situation: Situation) -> LifecycleStep {
        if let obstacle = situation.obstacle { return .fail(reason: obstacle) }
        guard let step = operation.step else { return stray(situation) }
        if operation.starts > maximumStarts {
            return .fail(
                reason:
                    "the agent was started \(operation.starts) times in the phase \(step.phase.rawValue), and got nowhere: "
                    + "the machine restarts by itself; look at its console")
        }
        switch agent(operation, situation) {
        case .absent(let command): return command ?? .wait(until: deadline(situation))
        case .present(let session):
            if let order = operation.order, order.session == session.id, !session.idle {
                return .wait(until: deadline(situation))
            }
            if let setback = operation.setback, situation.now < setback.again { return .wait(until: setback.again) }
            // Drives that refused are asked again once their power was off: that thaws those which firmware froze.
            if step == .wipe, let setback = operation.setback, session.openedAt < setback.at {
                if let due = awaited(situation, since: setback.at) { return .wait(until: due) }
                if let step = cycle(operation, situation, "the drives are asked again after a restart") { return step }
            }
            guard operation.attempts < step.maximumAttempts else {
                return .fail(
                    reason:
                        "the agent lost the order \(operation.attempts) times; look at its console, then `slipway machine retry`"
                )
            }
            return .issue(step)
        }
    }

    private enum Agent {
        case present(Situation.Session)
        /// What brings one up; nil: wait.
        case absent(LifecycleStep?)
    }

    /// The agent that may be given the order. Secrets wait for a trusted session: a person confirms it by asking again, or a power command of ours
    /// makes one.
    private static func agent(_ operation: Operation, _ situation: Situation) -> Agent {
        let session = situation.session.flatMap { $0.live ? $0 : nil }
        if let session, session.trusted { return .present(session) }
        let since = operation.stepSince ?? situation.machine.observed.phaseSince
        if let due = awaited(situation, since: since) { return .absent(.wait(until: due)) }
        let reason =
            if session != nil {
                "no trusted agent session to work with"
            } else if situation.machine.observed.isInFormerSystem {
                "its old system runs, and not the agent"
            } else { "no agent is there to work with" }
        return .absent(cycle(operation, situation, reason))
    }

    /// A boot may be on its way that follows a power command of ours: when to look again. Nil: there is none, or it came to nothing.
    private static func awaited(_ situation: Situation, since: Date) -> Date? {
        let observed = situation.machine.observed
        guard let command = observed.powerCommandAt, command >= since else { return nil }
        guard !observed.isInFormerSystem else { return nil }
        let patience = command.addingTimeInterval(bootPatience)
        var due = patience
        if let session = situation.session {
            guard session.openedAt <= command else { return nil }
            // An agent of before that goes on calling was not restarted: the command was lost, or the BMC did nothing.
            let restart = command.addingTimeInterval(restartPatience)
            if session.live {
                guard session.calledAt < restart else { return nil }
                // Its next call is not told to the lifecycle.
                due = situation.now < restart ? restart : situation.now.addingTimeInterval(callInterval)
            }
        }
        guard situation.now < patience else { return nil }
        return earlier(due, deadline(situation))
    }

    private static func cycle(_ operation: Operation, _ situation: Situation, _ reason: String) -> LifecycleStep? {
        guard situation.hasBMC, operation.powerCommands < maximumPowerCommands else { return nil }
        return .power(.cycle, reason: reason, afterKexec: false)
    }

    /// An agent on a machine that has its system was booted to start it: the way to the disk of ``LocalDiskMethod/agentKexec``.
    static func start(installedOn situation: Situation) -> LifecycleStep? {
        let observed = situation.machine.observed
        guard BootPolicy.isHandedToDisk(observed.phase), let session = situation.session, session.live,
            session.mayStart, observed.installed?.takesKexec ?? false,
            session.openedAt >= situation.operation?.installedAt ?? observed.phaseSince
        else { return nil }
        return .issueStart
    }

    /// A node whose agent left to start it and that gave no sign of life is started through firmware, once.
    static func restart(silent situation: Situation) -> LifecycleStep? {
        let observed = situation.machine.observed
        // One whose heartbeats came since, and stopped again, is somebody's network or work: it is not restarted for that.
        guard observed.phase == .ready, let entered = observed.kexecAt, let node = situation.node, !node.ready,
            node.lastHeartbeat < entered, situation.hasBMC, observed.powerCommandAt ?? .distantPast < entered
        else { return nil }
        let deadline = entered.addingTimeInterval(kexecPatience)
        guard situation.now >= deadline else { return .wait(until: deadline) }
        return .power(
            .cycle,
            reason: "no sign of life \(Int(kexecPatience / 60)) minutes after its agent started the system by kexec",
            afterKexec: true)
    }

    /// The operation whose present step this is.
    private static func running(_ situation: Situation, _ step: Operation.Step) -> Operation? {
        guard let operation = situation.operation, !operation.isFinished, operation.step == step else { return nil }
        return operation
    }

    private static func stray(_ situation: Situation) -> LifecycleStep {
        .fail(
            reason: situation.operation?.error
                ?? "no operation asks for the phase \(situation.machine.observed.phase.rawValue); ask for one again")
    }

    private static func earlier(_ one: Date, _ other: Date?) -> Date { other.map { min(one, $0) } ?? one }
}
