import Foundation
import Inventory
import Machines
import ProfileFiles
import Testing

@Suite struct ResourceFileTests {
    private func faults(_ text: String) -> [String] {
        do {
            return try ResourceFiles.read(text, file: "f.yaml").map { "\($0.kind) \($0.name)" }
        } catch {
            return error.errors.map(\.description)
        }
    }

    @Test("the example of docs/apply.md is read, each document with its place")
    func example() throws {
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent("docs/apply.md"), encoding: .utf8)
        let text = try #require(page.components(separatedBy: "```yaml\n").last?.components(separatedBy: "```").first)
        let resources = try ResourceFiles.read(text, file: "f.yaml")
        #expect(resources.map(\.kind) == [.cluster, .release, .machine, .profile])
        #expect(resources.map(\.name) == ["lab", "ref-1", "r1u01", "dell-r650"])
        #expect(resources.map(\.line) == [1, 5, 18, 23])
        guard case .machine(let machine) = resources[2].content, case .release(let release) = resources[1].content,
            case .profile(let profile, _) = resources[3].content
        else {
            Issue.record("\(resources)")
            return
        }
        #expect(machine.location == Location("ams1/3/r1/U1"))
        #expect(machine.labels == ["env": "prod", "role": "storage", "old": nil])
        #expect(release.artifacts[.image]?.rawBytes == 2_147_483_648 && release.minimumDiskBytes == 4_294_967_296)
        #expect(profile.priority == 10 && profile.rootDisk.choose == .smallest)
    }

    @Test("the text that is sent to the daemon is the same profile")
    func text() throws {
        for profile in try ShippedProfileTests.texts() {
            let document = "kind: HardwareProfile\nname: \(profile.name)\n" + profile.text
            guard case .profile(let declared, let text) = try ResourceFiles.read(document, file: "f")[0].content else {
                Issue.record("no profile")
                continue
            }
            let read = try ProfileDirectory.parse(received: text, file: "g", name: profile.name)
            #expect(!text.contains("kind: HardwareProfile") && !text.contains("name: \(profile.name)\n"))
            #expect(String(describing: read) == String(describing: declared))
        }
        guard
            case .profile(_, let text) = try ResourceFiles.read("kind: HardwareProfile\nname: x", file: "f")[0].content
        else { return }
        #expect(try ProfileDirectory.parse(received: text, file: "g", name: "x").priority == 0)
    }

    @Test(
        "a fault is told with its place and a hint",
        arguments: [
            (
                "kind: Cluser\nname: x",
                "f.yaml:1:7: kind: Cluser is not one of Cluster, OSRelease, Machine, HardwareProfile; did you mean Cluster?"
            ),
            ("name: x", "f.yaml:1:1: kind is missing"),
            ("kind: Cluster", "f.yaml:1:1: name is missing"),
            ("kind: Cluster\nname: a/b", "f.yaml:2:7: name: \"a/b\" is not a name"),
            ("kind: Cluster\nname: x\ntyp: standalone", "f.yaml:3:1: unknown key typ; did you mean type?"),
            ("kind: Cluster\nname: x\n---\n- 1", "f.yaml:4:1: expected `key: value` lines here"),
            ("kind: Machine\nname: x", "f.yaml:2:7: neither location nor labels"),
            ("kind: Machine\nname: x\nlocation: {rack: r1, unit: U99}", "f.yaml:3:"),
            ("kind: Machine\nname: x\nlabels: {a b: c}", "f.yaml:3:9: labels: "),
            (
                "kind: OSRelease\nname: x\nos: y\nversion: \"1\"\narchitecture: amd64",
                "f.yaml:1:1: artifacts are missing"
            ),
            (
                "kind: HardwareProfile\nname: x\nprioritty: 1",
                "f.yaml:3:1: unknown key prioritty; did you mean priority?"
            ),
            ("kind: Cluster\nname: x\n---\nkind: [", "f.yaml:"),
            ("kind: Cluster\nname: x\nname: y", "f.yaml:"),
        ])
    func fault(text: String, message: String) {
        #expect(faults(text).first?.hasPrefix(message) == true, "\(faults(text))")
    }

    @Test("every fault of every document at once; what is empty says nothing")
    func all() {
        #expect(faults("kind: x\nname: a\n---\nkind: Cluster\nnam: b\n---\n").count == 2)
        #expect(faults("---\n---\nkind: Cluster\nname: a\n---\n# nothing\n") == ["cluster a"])
        #expect(faults("") == [])
    }

    @Test("what is declared twice is told with the other's place")
    func twice() throws {
        let text = "kind: Cluster\nname: a\n---\nkind: Cluster\nname: b\n---\nkind: Cluster\nname: a"
        let faults = ResourceFiles.clashes(try ResourceFiles.read(text, file: "f.yaml"))
        #expect(faults.map(\.description) == ["f.yaml:7:1: Cluster a is in f.yaml:1 already"])
    }
}
