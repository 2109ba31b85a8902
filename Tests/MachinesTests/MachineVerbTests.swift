import FoundationEssentials
import Machines
import Testing

@Suite struct MachineVerbTests {
    /// Of an accepted machine that nobody works on: a letter for each phase of `Phase.allCases`, `+` where the verb is for it.
    ///
    ///     discovered inspecting available installing joining ready draining wiping failed maintenance rescue rejected retired
    static let table: [(verb: MachineVerb, allowed: String)] = [
        (.accept, "++++++++++++-"),
        (.reject, "+------------"),
        (.provision, "++++----+----"),
        (.reprovision, "--+--+--+----"),
        (.wipe, "--+--+--+----"),
        (.release, "-----+--+----"),
        (.rescue, "--+--+--+----"),
        (.endRescue, "----------+--"),
        (.maintain, "+++--+--+----"),
        (.resume, "---------+---"),
        (.protect, "++++++++++++-"),
        (.unprotect, "++++++++++++-"),
        (.retire, "+++-----++-+-"),
        (.forget, "+++-----++-++"),
        // Nothing failed, and nothing is under way.
        (.retry, "-------------"),
        (.abort, "-------------"),
    ]

    static func facts(_ phase: Phase, _ change: (inout VerbFacts) -> Void = { _ in }) -> VerbFacts {
        var facts = VerbFacts(LifecycleTests.machine(phase), operation: nil)
        change(&facts)
        return facts
    }

    @Test("every verb in every phase", arguments: table)
    func phases(verb: MachineVerb, allowed: String) {
        #expect(allowed.count == Phase.allCases.count)
        for (phase, sign) in zip(Phase.allCases, allowed) {
            let refusal = verb.refusal(Self.facts(phase))
            #expect((refusal == nil) == (sign == "+"), "\(verb) in \(phase): \(refusal ?? "allowed")")
            // A refusal says which machine, and something to do.
            if let refusal { #expect(refusal.hasPrefix("one is") || refusal.contains(" one"), "\(refusal)") }
        }
        #expect(
            Self.table.map(\.verb).sorted { $0.rawValue < $1.rawValue }
                == MachineVerb.allCases.sorted { $0.rawValue < $1.rawValue })
    }

    @Test(
        "nothing destroys what is protected, not accepted or in doubt", arguments: MachineVerb.allCases, Phase.allCases)
    func guards(verb: MachineVerb, phase: Phase) {
        let destroys: Set<MachineVerb> = [.provision, .reprovision, .wipe, .release, .retry]
        guard destroys.contains(verb) else { return }
        for change: (inout VerbFacts) -> Void in [
            { $0.isProtected = true }, { $0.isAccepted = false }, { $0.hasQuestion = true },
        ] {
            #expect(verb.refusal(Self.facts(phase, change)) != nil)
        }
    }

    @Test("protection holds against being forgotten and retired as well", arguments: [MachineVerb.forget, .retire])
    func protected(verb: MachineVerb) {
        #expect(verb.refusal(Self.facts(.available) { $0.isProtected = true })?.contains("protected") == true)
    }

    @Test("while one operation runs there is no other", arguments: MachineVerb.allCases)
    func busy(verb: MachineVerb) {
        var running = LifecycleTests.operation()
        let refusal = verb.refusal(Self.facts(.installing) { $0.operation = running })
        switch verb {
        // Asked again, it confirms the agent's session; the others change nothing on the disks.
        case .provision, .accept, .protect, .unprotect, .abort: #expect(refusal == nil)
        default: #expect(refusal?.contains("busy") == true || refusal?.contains("installing") == true, "\(verb)")
        }
        running = LifecycleTests.operation(installed: true, joining: true)
        let late = MachineVerb.abort.refusal(Self.facts(.joining) { $0.operation = running })
        #expect(late?.contains("starting") == true)
    }

    @Test("what failed is tried again")
    func retry() {
        var failed = LifecycleTests.operation()
        failed.finish(.failed, "no disk", at: LifecycleTests.after(9))
        #expect(MachineVerb.retry.refusal(Self.facts(.failed) { $0.operation = failed }) == nil)
        failed.finish(.succeeded, nil, at: LifecycleTests.after(9))
        #expect(MachineVerb.retry.refusal(Self.facts(.failed) { $0.operation = failed }) != nil)
    }
}
