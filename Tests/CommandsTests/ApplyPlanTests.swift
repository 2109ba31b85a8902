import APIModel
import Foundation
import Inventory
import Machines
import ProfileFiles
import Testing

@testable import Commands

@Suite struct ApplyPlanTests {
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let digest = String(repeating: "a", count: 64)

    private func cluster(_ name: String, of owner: String? = nil) -> ClusterView {
        let labels = owner.map { [Labels.appliedBy: $0] }
        return ClusterView(
            Cluster(id: "c-" + name, name: name, flavor: .standalone, labels: labels, createdAt: now), nodes: [])
    }

    private func release(_ name: String, version: String = "1", of owner: String? = nil) -> OSReleaseView {
        OSReleaseView(
            OSRelease(
                id: "r-" + name, name: name, os: "os", version: version, architecture: "amd64",
                artifacts: [.image: .init(sha256: digest, bytes: 1, compression: .zstd, rawBytes: 2)],
                minimumDiskBytes: 2,
                labels: owner.map { [Labels.appliedBy: $0] }, createdAt: now), cached: true)
    }

    private func machine(_ name: String, labels: [String: String] = [:], profile: [String: String] = [:]) -> MachineView
    {
        var machine = Machine(
            id: "m-" + name, name: name, observed: .init(phase: .available, phaseSince: now), createdAt: now)
        machine.desired.location = Location("s/1/r1/U1")
        (machine.labels, machine.observed.profileLabels) = (labels, profile)
        return MachineView(machine)
    }

    private func plan(_ text: String, _ known: ApplyPlan.Known, prunes: Bool = false, owner: String = "default") throws
        -> ApplyPlan
    {
        ApplyPlan(try ResourceFiles.read(text, file: "f.yaml"), known: known, owner: owner, prunes: prunes)
    }

    private func outcomes(_ plan: ApplyPlan) -> [String] { plan.steps.map { $0.outcome(isTrial: false) } }

    private var releaseText: String {
        "kind: OSRelease\nname: ref\nos: os\nversion: '1'\narchitecture: amd64\nartifacts: {image: {sha256: \(digest), compression: zstd, bytes: 1, raw_bytes: 2}}\n"
    }

    @Test("what is not there is made, with the label of its set; what is there is left")
    func create() throws {
        let text = "kind: Cluster\nname: lab\n---\n" + releaseText
        let first = try plan(text, .init(), owner: "site")
        #expect(outcomes(first) == ["Cluster lab created", "OSRelease ref created"])
        guard case .createCluster(let request) = first.steps[0].action else {
            Issue.record("\(first)")
            return
        }
        #expect(request.labels == ["slipway.dev/applied-by": "site"])
        let again = try plan(text, .init(clusters: [cluster("lab")], releases: [release("ref")]))
        #expect(outcomes(again) == ["Cluster lab unchanged", "OSRelease ref unchanged"])
        #expect(again.steps.allSatisfy { !$0.isChange && $0.diff(Painter(isOn: false)).isEmpty })
    }

    @Test("a machine's location and labels, and nothing that is not told")
    func machines() throws {
        let known = ApplyPlan.Known(machines: [
            machine("a", labels: ["env": "lab", "old": "x", "own": "y"], profile: ["gift": "1"])
        ])
        let text =
            "kind: Machine\nname: a\nlocation: {site: s, row: 1, rack: r1, unit: U2}\nlabels: {env: prod, old: ~, gone: ~, gift: '1'}"
        let plan = try plan(text, known)
        #expect(outcomes(plan) == ["Machine a changed"])
        #expect(
            plan.steps[0].diff(Painter(isOn: false)) == [
                "--- daemon: Machine a", "+++ f.yaml:1: Machine a", "-location: s/1/r1/U1", "+location: s/1/r1/U2",
                "-label env: lab", "+label env: prod", "+label gift: 1", "-label old: x",
            ])
        #expect(outcomes(try self.plan("kind: Machine\nname: a\nlabels: {own: 'y'}", known)) == ["Machine a unchanged"])
    }

    @Test(
        "what cannot be is a fault with its place, and then there is no half of it",
        arguments: [
            ("kind: Machine\nname: nobody\nlabels: {a: b}", "f.yaml:1:1: no machine is called nobody"),
            ("kind: Cluster\nname: x\n---\nkind: Cluster\nname: x", "f.yaml:4:1: Cluster x is in f.yaml:1 already"),
        ])
    func faults(text: String, fault: String) throws {
        #expect(try plan(text, .init()).faults.first?.description.hasPrefix(fault) == true)
    }

    @Test("a release does not change")
    func immutable() throws {
        let plan = try plan(releaseText, .init(releases: [release("ref", version: "2")]))
        #expect(plan.faults.first?.description.contains("has version 2, not 1") == true)
    }

    @Test("only what the same set made is pruned, and only when asked; never a machine")
    func prune() throws {
        let known = ApplyPlan.Known(
            clusters: [
                cluster("kept", of: "default"), cluster("gone", of: "default"), cluster("by-hand"),
                cluster("other", of: "site"),
            ],
            releases: [release("ref-0", of: "default")], machines: [machine("a")])
        let text = "kind: Cluster\nname: kept"
        #expect(outcomes(try plan(text, known)) == ["Cluster kept unchanged"])
        #expect(
            outcomes(try plan(text, known, prunes: true))
                == ["Cluster kept unchanged", "OSRelease ref-0 removed", "Cluster gone removed"])
        #expect(outcomes(try plan(text, known, prunes: true, owner: "site")).last == "Cluster other removed")
    }

    @Test("profiles are put into the daemon; one of its own files is told where it is different")
    func profiles() throws {
        let text = "kind: HardwareProfile\nname: p\npriority: 3"
        let profile = HardwareProfile(name: "p", priority: 3)
        func applied(_ text: String, _ profile: HardwareProfile, by set: String = "default") -> ProfileView {
            ProfileView(
                profile, machines: 7,
                applied: AppliedProfile(id: profile.name, text: text, appliedBy: set, changedAt: .distantPast))
        }
        #expect(
            outcomes(try plan(text, .init(profiles: [ProfileView(profile, machines: 7)])))
                == ["HardwareProfile p unchanged"])
        let other = HardwareProfile(name: "p", priority: 4, kexec: false)
        let step = try plan(text, .init(profiles: [ProfileView(other, machines: 7)])).steps[0]
        #expect(step.outcome(isTrial: false).hasPrefix("HardwareProfile p differs: it is a file of the daemon's own"))
        #expect(step.diff(Painter(isOn: false)).prefix(4).suffix(2) == ["-priority: 4", "+priority: 3"])

        let new = try plan(text, .init()).steps[0]
        guard case .putProfile(let request, isNew: true) = new.action else {
            Issue.record("\(new.action)")
            return
        }
        #expect(request.text == "priority: 3\n" && request.appliedBy == "default")
        #expect(
            outcomes(try plan(text, .init(profiles: [applied(request.text, profile)])))
                == ["HardwareProfile p unchanged"])
        let changed = try plan(text, .init(profiles: [applied("priority: 4\n", other)])).steps[0]
        #expect(changed.outcome(isTrial: false) == "HardwareProfile p changed" && changed.changes.count == 2)
        // A deadline has no words of its own.
        let late = try plan(text, .init(profiles: [applied("priority: 3\ndeadlines: {wiping: 1h}\n", profile)])).steps[
            0]
        #expect(late.changes.map(\.field) == ["text"])

        let known = ApplyPlan.Known(profiles: [
            applied("{}", HardwareProfile(name: "gone")), applied("{}", HardwareProfile(name: "other"), by: "site"),
            ProfileView(HardwareProfile(name: "file"), machines: 1),
        ])
        #expect(
            outcomes(try plan("kind: Cluster\nname: kept", known, prunes: true))
                == ["Cluster kept created", "HardwareProfile gone removed"])
    }
}
