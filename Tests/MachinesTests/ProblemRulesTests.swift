import Foundation
import Inventory
import Machines
import NetworkAddresses
import Testing

/// Each rule: what makes it speak, and what next to it does not.
@Suite struct ProblemRulesTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)

    private static func machine(_ phase: Phase, since seconds: Double = 10, accepted: Bool = true) -> Machine {
        var machine = Machine(
            id: "m-1", name: "r1u01", observed: .init(phase: phase, phaseSince: now.addingTimeInterval(-seconds)),
            createdAt: now.addingTimeInterval(-seconds))
        machine.desired.accepted = accepted
        return machine
    }

    private static func facts(_ machine: Machine?, _ change: (inout ProblemFacts) -> Void = { _ in }) -> ProblemFacts {
        var facts = ProblemFacts(machines: machine.map { [$0] } ?? [], now: now)
        change(&facts)
        return facts
    }

    /// The kinds that are told, with the times since when, as seconds ago; -1: nothing tells.
    private func told(_ facts: ProblemFacts) -> [Problem.Kind: Int] {
        Dictionary(
            ProblemRules.examine(facts).map { sighting in
                (sighting.kind, sighting.since.map { Int(Self.now.timeIntervalSince($0)) } ?? -1)
            }, uniquingKeysWith: { $1 })
    }

    private func told(_ machine: Machine, _ change: (inout ProblemFacts) -> Void = { _ in }) -> [Problem.Kind: Int] {
        told(Self.facts(machine, change))
    }

    @Test("nothing is wrong with a machine in any phase that it just entered", arguments: Phase.allCases)
    func quiet(phase: Phase) {
        #expect(told(Self.machine(phase)).isEmpty || phase == .failed)
    }

    @Test("deadlines") func deadlines() {
        let limit = Phase.installing.deadline() ?? 0
        #expect(told(Self.machine(.installing, since: 0.8 * limit - 1)) == [:])
        #expect(told(Self.machine(.installing, since: 0.8 * limit)) == [.deadlineNear: 0])
        #expect(told(Self.machine(.installing, since: limit - 1)) == [.deadlineNear: Int(0.2 * limit) - 1])
        #expect(told(Self.machine(.installing, since: limit + 60)) == [.deadlinePassed: 60])
        #expect(told(Self.machine(.ready, since: 1e9)) == [:])
        // A profile's own.
        #expect(told(Self.machine(.installing, since: 100)) { $0.deadline = { _ in 50 } } == [.deadlinePassed: 50])
        #expect(told(Self.machine(.installing, since: limit)) { $0.deadline = { _ in nil } } == [:])
    }

    @Test("failed machines, and wipes that failed on a disk") func failures() throws {
        var machine = Self.machine(.failed, since: 500)
        let at = Self.now.addingTimeInterval(-500)
        machine.observed.failure = .init(phase: .joining, reason: "no node", at: at)
        #expect(told(machine) == [.machineFailed: 500])
        machine.observed.failure = .init(phase: .wiping, reason: "S4EV1: input/output error", at: at)
        #expect(told(machine) == [.wipeFailed: 500])
        let sighting = try #require(ProblemRules.examine(Self.facts(machine)).first)
        #expect(sighting.seen.contains("S4EV1"))
        machine.observed.phase = .available
        #expect(told(machine) == [:])
    }

    @Test("a node that is silent") func nodes() {
        var machine = Self.machine(.ready, since: 1000)
        machine.set(.nodeReady, true, "registered", at: Self.now.addingTimeInterval(-900))
        #expect(told(machine) == [:])
        machine.set(.nodeReady, false, "no heartbeat", at: Self.now.addingTimeInterval(-60))
        #expect(told(machine) == [.nodeNotReady: 60])
        machine.observed.phase = .maintenance
        #expect(told(machine) == [:])
    }

    @Test("hardware that changed, that keeps a machine from use, disks that fail") func hardware() {
        var machine = Self.machine(.ready)
        machine.observed.hardware = .sample
        #expect(told(machine) == [:])
        machine.set(.hardwareChanged, false, "confirmed", at: Self.now)
        #expect(told(machine) == [:])
        machine.set(.hardwareChanged, true, "a disk is gone", at: Self.now.addingTimeInterval(-7))
        #expect(told(machine) == [.hardwareChanged: 7])
        machine.clear(.hardwareChanged)
        machine.observed.hardware?.disks[1].health = DiskHealth(isFailing: false)
        #expect(told(machine) == [:])
        machine.observed.hardware?.disks[1].health = DiskHealth(isFailing: true)
        #expect(told(machine) == [.diskFailing: -1])
        #expect(ProblemRules.examine(Self.facts(machine)).map(\.subject) == ["D-2"])
        machine.observed.hardware?.disks = []
        #expect(told(machine) == [.hardwareProblem: -1])
    }

    @Test("BMCs that do not answer, and that show another certificate") func bmcs() {
        var machine = Self.machine(.ready)
        machine.desired.bmc = .init(address: "10.0.0.1", kind: .redfish)
        #expect(told(machine) == [:])
        machine.set(.bmcReachable, true, "answers", at: Self.now)
        #expect(told(machine) == [:])
        machine.set(.bmcReachable, false, "silent", at: Self.now.addingTimeInterval(-30))
        #expect(told(machine) == [.bmcUnreachable: 30])
        machine.set(.bmcTrusted, false, "another certificate", at: Self.now.addingTimeInterval(-20))
        #expect(told(machine) == [.bmcCertificate: 20])
        machine.desired.bmc = nil
        #expect(told(machine) == [:])
    }

    @Test("machines that look like others, were not announced, are not as announced, or wait") func identity() {
        var machine = Self.machine(.discovered, since: 86400 - 1, accepted: false)
        #expect(told(machine) == [:])
        #expect(told(machine) { $0.hasAnnouncements = true } == [.unexpectedMachine: 86399])
        machine.observed.expected = .init(name: "r1u01", since: Self.now)
        #expect(told(machine) { $0.hasAnnouncements = true } == [:])
        machine.set(.expected, false, "serial: announced A, found B", at: Self.now.addingTimeInterval(-5))
        #expect(told(machine) { $0.hasAnnouncements = true } == [.notAsAnnounced: 5])

        machine = Self.machine(.discovered, since: 86400, accepted: false)
        #expect(told(machine) == [.acceptanceWaits: 86400])
        machine.desired.accepted = true
        #expect(told(machine) == [:])

        machine = Self.machine(.discovered, since: 1e6, accepted: false)
        machine.observed.question = .init(
            resembles: "m-2",
            comparison: IdentityResolver().compare(MachineIdentity(macs: []), MachineIdentity(macs: [])))
        #expect(told(machine) { $0.hasAnnouncements = true } == [.identityQuestion: -1])
        machine.observed.phase = .rejected
        #expect(told(machine) == [:])
    }

    @Test("agents: one that work waits for, and one on a ready machine") func agents() {
        func session(_ age: Double, live: Bool = true, trusted: Bool = false) -> Situation.Session {
            .init(id: "s", openedAt: Self.now.addingTimeInterval(-age), live: live, trusted: trusted, idle: true)
        }
        var operation = Operation(
            id: "o", verb: .provision, machine: "m-1", requestedBy: "alice", steps: [.install, .join],
            assignment: .init(cluster: "lab", release: "ref-1"), createdAt: Self.now.addingTimeInterval(-100))
        func installing(_ session: Situation.Session) -> [Problem.Kind: Int] {
            told(Self.machine(.installing, since: 90)) {
                ($0.sessions["m-1"], $0.operations["m-1"]) = (session, operation)
            }
        }
        #expect(installing(session(60)) == [.sessionUntrusted: 60])
        #expect(installing(session(600)) == [.sessionUntrusted: 100])
        #expect(installing(session(60, trusted: true)) == [:])
        #expect(installing(session(60, live: false)) == [:])
        operation.state = .failed
        #expect(installing(session(60)) == [:])

        func ready(_ session: Situation.Session) -> [Problem.Kind: Int] {
            told(Self.machine(.ready, since: 1000)) { $0.sessions["m-1"] = session }
        }
        #expect(ready(session(300)) == [.bootsUnexpectedly: 300])
        #expect(ready(session(299)) == [:])
        #expect(ready(session(300, live: false)) == [:])
        // That of the install.
        #expect(ready(session(1001)) == [:])
    }

    @Test("images of releases that are in use") func images() {
        let image = Artifact(sha256: "b", bytes: 10, compression: .zstd, rawBytes: 100)
        let release = OSRelease(
            id: "r", name: "ref-1", os: "slipway-reference", version: "1", architecture: "amd64",
            artifacts: [.image: image], minimumDiskBytes: 100, createdAt: Self.now)
        var machine = Self.machine(.ready)
        #expect(told(machine) { $0.releases = [release] } == [:])
        machine.desired.assignment = .init(cluster: "lab", release: "ref-1")
        #expect(told(machine) { $0.releases = [release] } == [.imageMissing: -1])
        #expect(told(machine) { ($0.releases, $0.images) = ([release], ["b"]) } == [:])
    }

    @Test("certificates of the installation and of BMCs") func certificates() {
        func told(days: Double) -> [Problem.Kind: Int] {
            self.told(
                Self.facts(nil) {
                    $0.certificates = [
                        .init(name: "the CA", notAfter: Self.now.addingTimeInterval(days * 86400), renewal: "renew it")
                    ]
                })
        }
        #expect(told(days: 30.1) == [:])
        #expect(told(days: 29) == [.certificateExpiring: 86400])
        #expect(told(days: -1) == [.certificateExpired: 86400])

        var machine = Self.machine(.ready)
        machine.desired.bmc = .init(address: "10.0.0.1", kind: .redfish)
        let certificate = BMCCertificate(
            sha256: "a", subject: "CN=bmc", issuer: "CN=site", notBefore: .distantPast, notAfter: Self.now,
            isAuthorized: true)
        machine.observed.bmc = .init(address: "10.0.0.1", port: nil, kind: .redfish, certificate: certificate)
        #expect(self.told(machine) == [.certificateExpired: 0])
        // Nobody looks at its dates.
        machine.observed.bmc?.pinnedAt = Self.now
        #expect(self.told(machine) == [:])
    }

    @Test("operations that wait for a second person") func approvals() throws {
        let facts = Self.facts(Self.machine(.ready)) {
            $0.approvals = [
                .init(
                    operation: "o-1", machine: "m-1", what: "wipe 3 disks", requestedBy: "alice",
                    since: Self.now.addingTimeInterval(-9))
            ]
        }
        #expect(told(facts) == [.approvalWaits: 9])
        let sighting = try #require(ProblemRules.examine(facts).first)
        #expect(sighting.machineName == "r1u01" && sighting.attempt.contains("approve o-1"))
    }

    @Test("since when is the same from call to call and after a restart, and begins anew when it comes back")
    func memory() throws {
        var machine = Self.machine(.ready)
        machine.observed.hardware = .sample
        machine.observed.hardware?.disks[0].health = DiskHealth(isFailing: true)
        let failing = Self.facts(machine)
        var memory = ProblemMemory()
        func since(_ facts: ProblemFacts, at seconds: Double) -> Double? {
            memory.recall(ProblemRules.examine(facts), now: Self.now.addingTimeInterval(seconds)).first.map {
                $0.since.timeIntervalSince(Self.now)
            }
        }
        #expect(since(failing, at: 10) == 10)
        #expect(since(failing, at: 20) == 10)
        memory = try JSONDecoder().decode(ProblemMemory.self, from: JSONEncoder().encode(memory))
        #expect(since(failing, at: 30) == 10)
        #expect(since(Self.facts(nil), at: 40) == nil && memory.firstSeen.isEmpty)
        #expect(since(failing, at: 50) == 50)
    }

    @Test("the worst and then the oldest first") func order() {
        var near = Self.machine(.installing, since: 0.9 * 3600)
        near.set(.hardwareChanged, true, "a disk", at: Self.now.addingTimeInterval(-9000))
        var failed = Self.machine(.failed, since: 5)
        failed.observed.failure = .init(phase: .installing, reason: "x", at: Self.now.addingTimeInterval(-5))
        var facts = Self.facts(near)
        facts.machines.append(failed)
        var memory = ProblemMemory()
        let problems = memory.recall(ProblemRules.examine(facts), now: Self.now)
        #expect(problems.map(\.kind) == [.machineFailed, .hardwareChanged, .deadlineNear])
    }

    @Test("docs/problems.md has every problem, as the code has it") func documented() throws {
        let page = try String(
            contentsOfFile: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().path + "/docs/problems.md", encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        #expect(
            rows == Problem.Kind.allCases.map { "| `\($0.rawValue)` | \($0.severity.rawValue) | \($0.meaning) |" })
    }
}
