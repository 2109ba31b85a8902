import FoundationEssentials
import Machines
import Testing

/// The ways of an operation through drain, wipe, install and join, step by step.
@Suite struct WipeLifecycleTests {
    static func after(_ seconds: Double) -> Date { LifecycleTests.after(seconds) }

    static func operation(
        _ steps: [Operation.Step], done: Int = 0, verb: Operation.Verb = .reprovision, from: Phase = .ready,
        _ change: (inout Operation) -> Void = { _ in }
    ) -> Operation {
        var operation = Operation(
            id: "o-1", verb: verb, machine: "m-1", requestedBy: "alice", steps: steps,
            assignment: .init(cluster: "c", release: "r-1"), wipe: .init(), createdAt: after(0))
        (operation.state, operation.formerPhase) = (.running, from)
        for _ in 0..<done { operation.completeStep(at: after(1)) }
        operation.stepSince = after(2)
        change(&operation)
        return operation
    }

    static func next(
        _ phase: Phase, _ operation: Operation, session: Situation.Session? = nil, departure: Departure? = nil,
        bmc: Bool = false, commandedAt: Double? = nil, formerSystemAt: Double? = nil, now: Double = 6
    ) -> LifecycleStep {
        var machine = LifecycleTests.machine(phase, bmc: bmc)
        machine.observed.phaseSince = after(2)
        machine.observed.powerCommandAt = commandedAt.map(after)
        machine.observed.formerSystemAt = formerSystemAt.map(after)
        return Lifecycle.next(
            Situation(
                machine: machine, operation: operation, session: session, departure: departure, now: after(now)))
    }

    @Test("a node is asked to leave, and waited for")
    func draining() {
        let operation = Self.operation([.drain, .wipe])
        #expect(Self.next(.draining, operation, departure: .member) == .askToLeave)
        #expect(Self.next(.draining, operation, departure: .leaving("…")) == .wait(until: Self.after(3602)))
        #expect(Self.next(.draining, operation, departure: .left) == .completeStep(reason: "its node left the cluster"))
        #expect(Self.next(.draining, operation) == .completeStep(reason: "it is no node any more"))
        guard
            case .giveUp(.ready, let reason) = Self.next(
                .draining, operation, departure: .leaving("its hook hangs"), now: 3602)
        else {
            Issue.record("it waits for ever")
            return
        }
        #expect(reason.contains("its hook hangs") && reason.contains("--no-drain"))
    }

    @Test("a trusted agent of this step gets the order; nobody else does")
    func wiping() {
        let operation = Self.operation([.wipe])
        let session = LifecycleTests.session(openedAt: 3)
        #expect(Self.next(.wiping, operation, session: session) == .issue(.wipe))
        let stranger = LifecycleTests.session(trusted: false, openedAt: 3)
        #expect(Self.next(.wiping, operation, session: stranger) == .wait(until: Self.after(2 + 72 * 3600)))
        #expect(
            Self.next(.wiping, operation, session: stranger, bmc: true)
                == .power(.cycle, reason: "no trusted agent session to work with", afterKexec: false))
        #expect(
            Self.next(.wiping, operation, bmc: true)
                == .power(.cycle, reason: "no agent is there to work with", afterKexec: false))
    }

    @Test("a machine that lost its power in mid-wipe is started again, and not for ever")
    func powerCut() {
        let session = LifecycleTests.session(live: false, openedAt: 100)
        var operation = Self.operation([.wipe]) {
            $0.order = .init(id: "x", session: "s-1", issuedAt: Self.after(101), expiresAt: Self.after(700))
            ($0.attempts, $0.powerCommands) = (1, 1)
        }
        #expect(
            Self.next(.wiping, operation, session: session, bmc: true, commandedAt: 50, now: 400)
                == .power(.cycle, reason: "no agent is there to work with", afterKexec: false))
        // Its boot may be on the way.
        #expect(
            Self.next(.wiping, operation, session: session, bmc: true, commandedAt: 390, now: 400)
                == .wait(until: Self.after(390 + Lifecycle.bootPatience)))
        operation.powerCommands = Lifecycle.maximumPowerCommands
        #expect(
            Self.next(.wiping, operation, session: session, bmc: true, commandedAt: 50, now: 400)
                == .wait(until: Self.after(2 + 72 * 3600)))
        operation.starts = Lifecycle.maximumStarts + 1
        guard case .fail = Self.next(.wiping, operation, session: session, bmc: true, now: 400) else {
            Issue.record("a machine that restarts by itself goes on for ever")
            return
        }
    }

    @Test("an agent of before the power command that goes on calling shows that nothing was restarted")
    func lostCycle() {
        let operation = Self.operation([.wipe]) { $0.powerCommands = 1 }
        func next(calledAt: Double, live: Bool = true, now: Double) -> LifecycleStep {
            var session = LifecycleTests.session(live: live, trusted: false, openedAt: 3)
            session.calledAt = Self.after(calledAt)
            return Self.next(.wiping, operation, session: session, bmc: true, commandedAt: 10, now: now)
        }
        let patience = 10 + Lifecycle.restartPatience
        #expect(next(calledAt: 60, now: 61) == .wait(until: Self.after(patience)))
        #expect(
            next(calledAt: patience + 1, now: patience + 2)
                == .power(.cycle, reason: "no trusted agent session to work with", afterKexec: false))
        // Its last call was before that time, and its next one may be under way: nobody wakes the lifecycle for it.
        #expect(next(calledAt: patience - 20, now: patience + 2) == .wait(until: Self.after(patience + 62)))
        // One that fell silent is on its way through firmware.
        let slow = Self.after(10 + Lifecycle.bootPatience)
        #expect(next(calledAt: 12, live: false, now: patience + 2) == .wait(until: slow))
    }

    @Test("an old system that runs where the agent was to come is not waited for")
    func formerSystem() {
        let operation = Self.operation([.wipe]) { $0.powerCommands = 1 }
        func next(formerSystemAt: Double, bmc: Bool = true, now: Double = 300) -> LifecycleStep {
            Self.next(.wiping, operation, bmc: bmc, commandedAt: 100, formerSystemAt: formerSystemAt, now: now)
        }
        let again = LifecycleStep.power(
            .cycle, reason: "its old system runs, and not the agent", afterKexec: false)
        #expect(next(formerSystemAt: 290) == again)
        // One of before this power command says nothing of it.
        #expect(next(formerSystemAt: 50) == .wait(until: Self.after(100 + Lifecycle.bootPatience)))
        // Nor does it when that command came to nothing.
        #expect(
            next(formerSystemAt: 50, now: 101 + Lifecycle.bootPatience)
                == .power(.cycle, reason: "no agent is there to work with", afterKexec: false))
        let limit = 2.0 + 72 * 3600
        #expect(next(formerSystemAt: 290, bmc: false) == .wait(until: Self.after(limit)), "nobody can restart it")
        guard case .fail(let reason) = next(formerSystemAt: 290, now: limit) else {
            Issue.record("it waits for ever")
            return
        }
        #expect(reason.contains("its old system running"))
    }

    @Test("drives that refused are asked again after a restart, once")
    func setback() {
        let operation = Self.operation([.wipe]) {
            $0.attempts = 1
            $0.fall(back: "frozen", at: Self.after(10))
        }
        #expect(operation.state == .running && operation.setback?.again == Self.after(15))
        let session = LifecycleTests.session(openedAt: 3)
        #expect(Self.next(.wiping, operation, session: session, now: 12) == .wait(until: Self.after(15)))
        #expect(
            Self.next(.wiping, operation, session: session, bmc: true, now: 41)
                == .power(.cycle, reason: "the drives are asked again after a restart", afterKexec: false))
        #expect(Self.next(.wiping, operation, session: session, now: 41) == .issue(.wipe), "nobody can restart it")
        // The command was lost: the same agent still calls.
        var deaf = session
        deaf.calledAt = Self.after(400)
        #expect(
            Self.next(.wiping, operation, session: deaf, bmc: true, commandedAt: 41, now: 401)
                == .power(.cycle, reason: "the drives are asked again after a restart", afterKexec: false))
        let anew = LifecycleTests.session("s-2", openedAt: 60)
        #expect(Self.next(.wiping, operation, session: anew, bmc: true, commandedAt: 41, now: 61) == .issue(.wipe))
        var again = operation
        again.attempts = 2
        again.fall(back: "frozen", at: Self.after(70))
        #expect(again.state == .failed && again.error == "frozen (after 2 attempts)")
    }

    @Test("the last step leads to what was asked for")
    func carriedOut() {
        let operation = Self.operation([.wipe]) { $0.carriedOutAt = Self.after(5) }
        #expect(Self.next(.wiping, operation) == .completeStep(reason: "its disks are erased and proved"))
        let rescue = Self.operation([.rescue], verb: .rescue)
        #expect(Self.next(.rescue, rescue, session: LifecycleTests.session(openedAt: 3)) == .issue(.rescue))
        #expect(Self.next(.rescue, rescue, now: 3602) == .completeStep(reason: "the time of the rescue shell is over"))
    }

    struct Abort: Sendable, CustomTestStringConvertible {
        var fact: String
        var phase: Phase
        var operation: Operation
        /// Where the machine goes; nil: it goes on.
        var goal: Phase?

        init(_ fact: String, _ phase: Phase, _ operation: Operation, _ goal: Phase?) {
            (self.fact, self.phase, self.operation, self.goal) = (fact, phase, operation, goal)
        }

        var testDescription: String { fact }
    }

    static let aborts: [Abort] = [
        .init("in a drain: the node stays", .draining, operation([.drain, .wipe]), .ready),
        .init("before the wipe's order", .wiping, operation([.wipe], from: .available), .available),
        .init("after the drain", .wiping, operation([.drain, .wipe], done: 1), .failed),
        .init("after the wipe was begun", .wiping, operation([.wipe]) { $0.attempts = 1 }, .failed),
        .init("after the wipe", .installing, operation([.wipe, .install, .join], done: 1), .available),
        .init("after the install was begun", .installing, operation([.install, .join]) { $0.attempts = 2 }, .failed),
        .init(
            "written already", .installing,
            operation([.install, .join]) { ($0.attempts, $0.installedAt) = (1, after(5)) }, nil
        ),
        .init("on its way up", .joining, operation([.install, .join], done: 1) { $0.installedAt = after(1) }, nil),
    ]

    @Test("what a person takes back ends at the next safe point", arguments: aborts)
    func takenBack(row: Abort) {
        var operation = row.operation
        operation.abortedBy = "bob"
        let step = Self.next(row.phase, operation, departure: row.phase == .draining ? .leaving("…") : nil)
        switch step {
        case .abort(let to, let reason): #expect(to == row.goal && reason.contains("bob"), "\(reason)")
        default: #expect(row.goal == nil, "\(step)")
        }
    }

    @Test("an order that an agent has is carried out to its end")
    func abortAtWork() {
        let operation = Self.operation([.wipe]) {
            $0.order = .init(id: "x", session: "s-1", issuedAt: Self.after(3), expiresAt: Self.after(700))
            ($0.attempts, $0.abortedBy) = (1, "bob")
        }
        let busy = LifecycleTests.session(idle: false, openedAt: 2)
        #expect(Self.next(.wiping, operation, session: busy) == .wait(until: Self.after(2 + 72 * 3600)))
        guard case .abort(.failed, _) = Self.next(.wiping, operation, session: LifecycleTests.session(openedAt: 2))
        else {
            Issue.record("it is not aborted once the agent waits")
            return
        }
    }

    @Test(
        "every phase with every operation has a next step, and none acts on what it should not",
        arguments: Phase.allCases)
    func total(phase: Phase) {
        let sessions: [Situation.Session?] = [
            nil, LifecycleTests.session(), LifecycleTests.session(trusted: false), LifecycleTests.session(live: false),
            LifecycleTests.session(idle: false),
        ]
        let departures: [Departure?] = [nil, .member, .leaving("…"), .left]
        let plans: [[Operation.Step]] = [
            [], [.drain], [.wipe], [.install, .join], [.drain, .wipe], [.drain, .wipe, .install, .join], [.rescue],
        ]
        for steps in plans {
            for done in 0...steps.count {
                for state in Operation.State.allCases {
                    for session in sessions {
                        for departure in departures {
                            for bmc in [false, true] {
                                let operation = Self.operation(steps, done: done) { $0.state = state }
                                let step = Self.next(
                                    phase, operation, session: session, departure: departure, bmc: bmc)
                                check(step, phase, operation, session)
                            }
                        }
                    }
                }
            }
        }
    }

    private func check(
        _ step: LifecycleStep, _ phase: Phase, _ operation: Operation, _ session: Situation.Session?
    ) {
        switch step {
        case .issue(let kind):
            #expect(kind.phase == phase && operation.step == kind && !operation.isFinished)
            #expect(session?.live == true && session?.trusted == true)
        case .power(let action, _, _): #expect(!operation.isFinished || phase == .inspecting, "\(action) in \(phase)")
        case .begin: #expect(phase.isResting && !operation.isFinished)
        case .completeStep: #expect(operation.step?.phase == phase)
        case .askToLeave: #expect(phase == .draining)
        case .issueStart: #expect(BootPolicy.isHandedToDisk(phase))
        case .giveUp(let to, _): #expect(phase == .draining || phase == to)
        case .fallBack: #expect(operation.installer != nil)
        case .advance, .abort, .fail, .complete, .wait: break
        }
        if [.maintenance, .rejected, .retired, .discovered].contains(phase) {
            switch step {
            case .wait, .advance, .issueStart: break
            default: Issue.record("\(step) in \(phase)")
            }
        }
    }
}
