import FoundationEssentials
import Inventory
import Machines
import Testing

/// One row: a situation, and the step that must follow from it.
struct LifecycleRow: Sendable, CustomTestStringConvertible {
    var fact: String
    var situation: Situation
    var step: LifecycleStep

    init(_ fact: String, _ situation: Situation, _ step: LifecycleStep) {
        (self.fact, self.situation, self.step) = (fact, situation, step)
    }

    var testDescription: String { fact }
}

@Suite struct LifecycleTests {
    static let start = Date(timeIntervalSince1970: 1_800_000_000)
    static func after(_ seconds: Double) -> Date { start.addingTimeInterval(seconds) }

    static func machine(_ phase: Phase, accepted: Bool = true, bmc: Bool = false, reported: Bool = true) -> Machine {
        var machine = Machine(
            id: "m-1", name: "one", observed: .init(phase: phase, phaseSince: start), createdAt: start)
        machine.desired.accepted = accepted
        if bmc { machine.desired.bmc = .init(address: "10.0.0.9", username: "u", passwordSecret: "s") }
        if reported {
            machine.observed.hardware = .sample
            machine.observed.hardwareReportedAt = after(5)
        }
        return machine
    }

    static func operation(
        installed: Bool = false, joining: Bool = false, isRunning: Bool = true, attempts: Int = 0, order: String? = nil
    ) -> Operation {
        var operation = Operation(
            id: "o-1", verb: .provision, machine: "m-1", requestedBy: "alice", steps: [.install, .join],
            assignment: .init(cluster: "c", release: "r-1"), createdAt: after(1))
        operation.attempts = attempts
        (operation.state, operation.stepSince) = (isRunning ? .running : .pending, isRunning ? after(2) : nil)
        if installed { operation.installedAt = after(60) }
        if joining { operation.completeStep(at: after(61)) }
        if let order {
            operation.order = .init(id: "order", session: order, issuedAt: after(10), expiresAt: after(1000))
        }
        return operation
    }

    static func finished() -> Operation {
        var operation = operation(installed: true, joining: true)
        operation.completeStep(at: after(90))
        operation.finish(.succeeded, nil, at: after(90))
        return operation
    }

    /// Its image was written after a minute.
    static func joining(kexec: Bool, now: Double) -> Situation {
        var machine = machine(.joining, bmc: true)
        if kexec { machine.observed.kexecAt = after(60) }
        return Situation(machine: machine, operation: operation(installed: true, joining: true), now: after(now))
    }

    /// Its system told of its first start, and perhaps that it joined.
    static func told(joined: Bool, seen: Bool, now: Double) -> Situation {
        var situation = joining(kexec: true, now: now)
        situation.operation?.firstBootAt = after(200)
        if joined { situation.operation?.joinedAt = after(300) }
        situation.isClusterSeen = seen
        return situation
    }

    /// Its agent left for the system's own installer after a minute.
    /// - Parameter fetched: its firmware is to start it, and did or did not fetch it; nil: the agent entered it.
    static func installer(
        session: Situation.Session?, fetched: Bool? = nil, commandedAt: Double? = nil, now: Double = 600
    ) -> Situation {
        var operation = operation(attempts: 1)
        operation.installer = .init(
            enteredAt: after(60), installs: .init(disk: .init(serial: "D-1", wwn: nil, sizeBytes: 1), entry: .reboot))
        operation.installer?.isFromNetwork = fetched == nil ? nil : true
        operation.installer?.fetchedAt = fetched ?? false ? after(120) : nil
        var machine = machine(.installing, bmc: true)
        machine.observed.powerCommandAt = commandedAt.map(after)
        return Situation(machine: machine, operation: operation, session: session, now: after(now))
    }

    /// Its agent left for the installed system after ten minutes.
    static func silent(
        isReady: Bool = false, heardAt: Double = 90, commandedAt: Double = 5, now: Double
    ) -> Situation {
        var (machine, node) = (installed(.ready), node(at: 90))
        node.lastHeartbeat = after(heardAt)
        machine.desired.bmc = .init(address: "10.0.0.9", username: "u", passwordSecret: "s")
        (machine.observed.kexecAt, machine.observed.powerCommandAt) = (after(600), after(commandedAt))
        node.ready = isReady
        return Situation(machine: machine, operation: finished(), node: node, now: after(now))
    }

    static func session(
        _ id: String = "s-1", live: Bool = true, trusted: Bool = true, idle: Bool = true, mayStart: Bool = true,
        openedAt: Double = 0
    ) -> Situation.Session {
        .init(id: id, openedAt: after(openedAt), live: live, trusted: trusted, idle: idle, mayStart: mayStart)
    }

    static func installed(
        _ phase: Phase,
        entry: SystemEntry = .kexec(
            partition: "ESP", fileSystem: .vfat, kernel: "k", initrd: "i", commandLineFile: "c")
    ) -> Machine {
        var machine = machine(phase)
        machine.observed.installed = InstalledSystem(disk: .init(serial: "D", wwn: nil, sizeBytes: 1), entry: entry)
        return machine
    }

    static func node(at seconds: Double) -> Node {
        Node(
            id: "one", cluster: "c", machine: "m-1", osRelease: "r-1", kernel: "6", addresses: [], bootID: "b",
            credentialHash: "h", at: after(seconds))
    }

    static let rows: [LifecycleRow] = [
        .init(
            "a discovered machine waits for accept, for ever",
            Situation(machine: machine(.discovered, accepted: false), session: session(), now: after(1e7)),
            .wait(until: nil)),
        .init(
            "accepted with a report of this boot: inspection is skipped",
            Situation(machine: machine(.discovered), session: session(), now: after(6)),
            .advance(to: .available, reason: "accepted; its hardware report is of this boot")),
        .init(
            "accepted while its agent is gone: inspected again",
            Situation(machine: machine(.discovered), session: session(live: false), now: after(6)),
            .advance(to: .inspecting, reason: "accepted; waits for its hardware report")),
        .init(
            "inspection turns the machine on, and never cycles it",
            Situation(machine: machine(.inspecting, bmc: true), session: session(live: false), now: after(6)),
            .power(.on, reason: "to boot the agent", afterKexec: false)),
        .init(
            "inspection without BMC waits until its deadline",
            Situation(machine: machine(.inspecting, reported: false), now: after(6)), .wait(until: after(1800))),
        .init(
            "available and unassigned: nothing to do",
            Situation(machine: machine(.available), session: session(), now: after(6)), .wait(until: nil)),
        .init(
            "a request starts the install",
            Situation(
                machine: machine(.available), operation: operation(isRunning: false), session: session(),
                now: after(6)),
            .begin(reason: "alice asked for r-1")),
        .init(
            "an obstacle fails the request before anything is touched",
            Situation(
                machine: machine(.available), operation: operation(isRunning: false), session: session(),
                obstacle: "no disk fits",
                now: after(6)),
            .fail(reason: "no disk fits")),
        .init(
            "an obstacle to a ready machine's leaves it as it is",
            Situation(
                machine: machine(.ready), operation: operation(isRunning: false), obstacle: "no disk fits",
                now: after(6)),
            .giveUp(to: .ready, reason: "no disk fits")),
        .init(
            "a trusted idle agent gets the order",
            Situation(machine: machine(.installing), operation: operation(), session: session(), now: after(6)),
            .issue(.install)),
        .init(
            "an agent at work is left alone",
            Situation(
                machine: machine(.installing), operation: operation(attempts: 1, order: "s-1"),
                session: session(idle: false), now: after(20)),
            .wait(until: after(3600))),
        .init(
            "an order that never reached the agent (the daemon was killed) is issued again",
            Situation(
                machine: machine(.installing), operation: operation(attempts: 1, order: "s-1"), session: session(),
                now: after(20)),
            .issue(.install)),
        .init(
            "an agent that started anew gets a new order",
            Situation(
                machine: machine(.installing), operation: operation(attempts: 2, order: "s-0"),
                session: session("s-1"), now: after(20)),
            .issue(.install)),
        .init(
            "the order is not issued a fourth time",
            Situation(
                machine: machine(.installing), operation: operation(attempts: 3, order: "s-0"),
                session: session("s-1"), now: after(20)),
            .fail(
                reason: "the agent lost the order 3 times; look at its console, then `slipway machine retry`")),
        .init(
            "an untrusted session gets no secrets: with a BMC, our own power command makes the trusted boot",
            Situation(
                machine: machine(.installing, bmc: true), operation: operation(), session: session(trusted: false),
                now: after(6)),
            .power(.cycle, reason: "no trusted agent session to work with", afterKexec: false)),
        .init(
            "an untrusted session without BMC waits for a person",
            Situation(
                machine: machine(.installing), operation: operation(), session: session(trusted: false), now: after(6)),
            .wait(until: after(3600))),
        .init(
            "the power command is not given again while its boot may be on the way",
            {
                var machine = Self.machine(.installing, bmc: true)
                machine.observed.powerCommandAt = after(2)
                return Situation(machine: machine, operation: operation(), now: after(6))
            }(), .wait(until: after(2 + Lifecycle.bootPatience))),
        .init(
            "written and verified: the machine joins",
            Situation(machine: machine(.installing), operation: operation(installed: true), now: after(70)),
            .completeStep(reason: "the system is on its disk")),
        .init(
            "the node registered: ready",
            Situation(
                machine: machine(.joining), operation: operation(installed: true, joining: true), node: node(at: 90),
                now: after(91)),
            .complete(node: "one")),
        .init(
            "a node from before this install proves nothing",
            Situation(
                machine: machine(.joining), operation: operation(installed: true, joining: true), node: node(at: 0),
                now: after(91)),
            .wait(until: after(2700))),
        .init(
            "no sign of life after kexec: a restart through firmware",
            joining(kexec: true, now: 60 + Lifecycle.kexecPatience),
            .power(.cycle, reason: "no sign of life 10 minutes after the install", afterKexec: true)),
        .init(
            "a system that told of its first start is at work, and not restarted",
            told(joined: false, seen: true, now: 60 + Lifecycle.bootPatience), .wait(until: after(2700))),
        .init(
            "its word that it joined is not enough where the daemon sees the nodes itself",
            told(joined: true, seen: true, now: 400), .wait(until: after(2700))),
        .init(
            "elsewhere it is", told(joined: true, seen: false, now: 400), .complete(node: "one")),
        .init(
            "firmware has more time than kexec", joining(kexec: false, now: 60 + Lifecycle.kexecPatience),
            .wait(until: after(60 + Lifecycle.bootPatience))),
        .init(
            "no sign of life after firmware: a restart, and kexec is not to blame",
            joining(kexec: false, now: 60 + Lifecycle.bootPatience),
            .power(.cycle, reason: "no sign of life 30 minutes after the install", afterKexec: false)),
        .init(
            "a system's own installer is at work: nobody disturbs it", installer(session: nil),
            .wait(until: after(3600))),
        .init(
            "its agent's last words are no new agent", installer(session: session("s-0", live: false)),
            .wait(until: after(3600))),
        .init(
            "firmware is to start the installer, and has time for that", installer(session: nil, fetched: false),
            .wait(until: after(60 + Lifecycle.bootPatience))),
        .init(
            "firmware did not ask for the installer: once more, by power",
            installer(session: nil, fetched: false, now: 60 + Lifecycle.bootPatience),
            .power(
                .cycle, reason: "it did not ask the network for its installer in 30 minutes", afterKexec: false)),
        .init(
            "nor after that", installer(session: nil, fetched: false, commandedAt: 1900, now: 2000),
            .wait(until: after(3600))),
        .init(
            "firmware fetched the installer: nobody disturbs it", installer(session: nil, fetched: true, now: 3000),
            .wait(until: after(3600))),
        .init(
            "an agent after the installer: the machine restarted too early", installer(session: session(openedAt: 500)),
            .fallBack(
                reason: "the machine restarted before its installer said that it was done; look at its console")),
        .init(
            "the agent of an installed machine starts its system",
            Situation(
                machine: installed(.ready), operation: finished(), session: session(openedAt: 500),
                now: after(501)), .issueStart),
        .init(
            "and does so before the first registration as well",
            Situation(
                machine: installed(.joining), operation: operation(installed: true, joining: true),
                session: session(openedAt: 500),
                now: after(501)), .issueStart),
        .init(
            "but not the agent that installed it, which is about to leave",
            Situation(
                machine: installed(.ready), operation: finished(), session: session(), now: after(70)),
            .wait(until: nil)),
        .init(
            "nor one that has its order, or has not shown that it is this machine",
            Situation(
                machine: installed(.ready), operation: finished(),
                session: session(mayStart: false, openedAt: 500), now: after(501)), .wait(until: nil)),
        .init(
            "a system that is entered through firmware cannot be started so",
            Situation(
                machine: installed(.ready, entry: .reboot), operation: finished(),
                session: session(openedAt: 500), now: after(501)), .wait(until: nil)),
        .init(
            "a node that its agent started, and that is silent, is waited for",
            silent(now: 700), .wait(until: after(600 + Lifecycle.kexecPatience))),
        .init(
            "and started through firmware then",
            silent(now: 600 + Lifecycle.kexecPatience),
            .power(
                .cycle, reason: "no sign of life 10 minutes after its agent started the system by kexec",
                afterKexec: true)),
        .init("once", silent(commandedAt: 1300, now: 9000), .wait(until: nil)),
        .init("and not when its heartbeats arrive", silent(isReady: true, now: 9000), .wait(until: nil)),
        .init(
            "nor when they had come, and stopped again: its network may be down, its work is not",
            silent(heardAt: 650, now: 9000), .wait(until: nil)),
        .init(
            "a failed machine stays failed",
            Situation(machine: machine(.failed), now: after(1e6)), .wait(until: nil)),
        .init(
            "a failed machine is tried again when a person asks again",
            Situation(
                machine: machine(.failed), operation: operation(isRunning: false), session: session(), now: after(1e6)),
            .begin(reason: "alice asked for r-1")),
    ]

    @Test("decides", arguments: rows)
    func decides(row: LifecycleRow) { #expect(Lifecycle.next(row.situation) == row.step) }

    @Test("every phase with a deadline fails when it has passed", arguments: Phase.allCases)
    func deadlines(phase: Phase) {
        guard let deadline = phase.deadline() else { return }
        let situation = Situation(machine: Self.machine(phase), operation: Self.operation(), now: Self.after(deadline))
        guard case .fail(let reason) = Lifecycle.next(situation) else {
            Issue.record("\(phase) went on after its deadline")
            return
        }
        #expect(reason.contains("after \(Int(deadline / 60)) minutes"))
    }

    @Test(
        "machines in a person's hands and finished ones are never touched",
        arguments: [
            Phase.ready, .maintenance, .rejected, .retired,
        ])
    func handsOff(phase: Phase) {
        let situation = Situation(
            machine: Self.machine(phase, bmc: true), operation: Self.finished(), session: Self.session(mayStart: false),
            now: Self.after(100))
        #expect(Lifecycle.next(situation) == .wait(until: nil))
    }
}
