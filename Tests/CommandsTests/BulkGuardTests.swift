import APIModel
import FoundationEssentials
import Machines
import Testing

@testable import Commands

/// What keeps an expression from the wrong machines.
@Suite struct BulkGuardTests {
    private func machine(_ name: String, _ phase: Phase = .ready, _ change: (inout Machine) -> Void = { _ in })
        -> MachineView
    {
        var machine = Machine(
            id: "m-" + name, name: name, observed: .init(phase: phase, phaseSince: Date()), createdAt: Date())
        machine.desired.accepted = true
        change(&machine)
        return MachineView(machine)
    }

    private func refusal(
        _ machines: [MachineView], named: Set<String> = [], limit: Int = 10, verb: MachineVerb = .wipe
    ) -> String? {
        do {
            try BulkGuard.check(machines, named: named, limit: limit, verb: verb)
            return nil
        } catch {
            return error.description
        }
    }

    @Test("the limit is of machines, and the words say what to look at")
    func limit() {
        let row = (1...11).map { machine("r1u\($0)") }
        #expect(refusal(Array(row.prefix(10))) == nil)
        #expect(refusal(row)?.contains("--max 11") == true)
        #expect(refusal(row, limit: 11) == nil)
        #expect(refusal([])?.contains("no machine") == true)
    }

    @Test("what is protected, and what a cluster stands on, is brought in by name only")
    func precious() {
        let master = machine("cp1") {
            $0.desired.assignment = .init(cluster: "lab", release: "r", role: .controlPlane)
        }
        let worker = machine("w1") { $0.desired.assignment = .init(cluster: "lab", release: "r", role: .worker) }
        #expect(refusal([master, worker])?.contains("cp1 (control plane)") == true)
        #expect(refusal([master, worker], named: ["m-cp1"]) == nil)
        let guarded = machine("p1") { $0.desired.protected = true }
        #expect(refusal([guarded])?.contains("p1 (protected)") == true)
        // Named or not, nothing destroys it.
        #expect(refusal([guarded], named: ["m-p1"])?.contains("unprotect") == true)
    }

    @Test("one machine that the verb is not for stops all of them")
    func phases() {
        #expect(refusal([machine("a"), machine("b", .discovered)])?.contains("b is discovered") == true)
        #expect(refusal([machine("a", .available)], verb: .release)?.contains("a is available") == true)
        #expect(refusal([machine("a") { $0.desired.accepted = false }])?.contains("not accepted") == true)
    }

    @Test("what is typed is the name of one machine, the number of several")
    func answers() {
        #expect(BulkGuard.answer([machine("a")]) == "a")
        #expect(BulkGuard.answer([machine("a"), machine("b")]) == "2")
        #expect(BulkGuard.question(.wipe, [machine("a"), machine("b")]) == "wipe 2 machines: type 2 to go on")
    }
}
