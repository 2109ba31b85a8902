import Foundation
import Machines
import Testing

/// docs/selecting-machines.md is the specification: its machines and every one of its examples are run.
@Suite struct SelectionTests {
    private static let page =
        (try? String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent("docs/selecting-machines.md"), encoding: .utf8))
        ?? ""

    private static func block(_ name: String) -> [String] {
        let lines = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let start = lines.firstIndex(of: "```" + name) else { return [] }
        return Array(lines[(start + 1)...].prefix { $0 != "```" })
    }

    private static func pairs(_ name: String) -> [(String, String)] {
        block(name).map { line in
            let parts = line.components(separatedBy: "→").map { $0.trimmingCharacters(in: .whitespaces) }
            return (parts[0], parts.count > 1 ? parts[1] : "")
        }
    }

    private static let machines: [SelectableMachine] = block("machines").dropFirst().enumerated().map { index, line in
        let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        func told(_ cell: String) -> String? { cell.isEmpty ? nil : cell }
        let labels = cells[9].split(separator: " ").map { $0.split(separator: "=", omittingEmptySubsequences: false) }
        return SelectableMachine(
            id: "m-\(index + 1)", name: cells[0], serial: "SN-\(index + 1)",
            macs: [MACSample.address(index + 1)],
            labels: Dictionary(labels.map { (String($0[0]), String($0[1])) }) { $1 },
            location: Location(
                site: told(cells[1]), row: told(cells[2]), rack: told(cells[3]), units: RackUnits(cells[4])),
            phase: Phase(rawValue: cells[5]) ?? .retired, profile: told(cells[6]), cluster: told(cells[7]),
            release: told(cells[8])
        )
    }

    private func selected(_ text: String) throws -> [String] {
        try MachineSelector(text).select(from: Self.machines).machines.map(\.name)
    }

    private func fault(_ text: String) -> String {
        do {
            let chosen = try selected(text)
            return "selected \(chosen)"
        } catch {
            return "\(error)"
        }
    }

    @Test("the page has its machines and examples")
    func page() {
        #expect(Self.machines.count == 7 && Self.pairs("examples").count > 30 && Self.pairs("refused").count > 14)
    }

    @Test("every example of the page", arguments: pairs("examples"))
    func example(text: String, names: String) throws {
        #expect(try selected(text).joined(separator: " ") == names)
    }

    @Test("every refusal of the page", arguments: pairs("refused"))
    func refused(text: String, words: String) { #expect(fault(text).hasPrefix(words), "\(fault(text))") }

    @Test(
        "the other ways to name one",
        arguments: [
            "m-2", "SN-2", "52:54:00:00:00:02", "52-54-00-00-00-02", "mac=52:54:00:00:00:02", "serial=SN-2", "id=m-2",
            "'r1u02'",
        ])
    func references(text: String) throws { #expect(try selected(text) == ["r1u02"]) }

    @Test(
        "who was named by itself is known: guard rails ask for it",
        arguments: [
            ("r1u01", ["m-1"]), ("r1u[01-02]", []), ("r1*", []), ("name=r1u01", []), ("rack=r1 | r1u02", ["m-2"]),
            ("rack=r1 - r1u02", []), ("SN-1,r1u[02-03]", ["m-1"]), ("(rack=r1 & r1u01)", ["m-1"]),
        ] as [(String, Set<String>)])
    func named(text: String, ids: Set<String>) throws {
        #expect(try MachineSelector(text).select(from: Self.machines).named == ids)
    }

    @Test("one serial of two machines is no name")
    func ambiguous() throws {
        var machines = Self.machines
        machines[1].serial = "SN-1"
        let selector = try MachineSelector("SN-1")
        #expect(throws: SelectionFaults([.init(column: 1, "SN-1 is r1u01 and r1u02: name one by its id")])) {
            _ = try selector.select(from: machines)
        }
        // An id goes before a name.
        machines[1].name = "m-4"
        #expect(try MachineSelector("m-4").select(from: machines).machines.map(\.id) == ["m-4"])
    }

    @Test("all faults at once, each with its place")
    func all() throws {
        let selector = try MachineSelector("r1u99 rack=r8 - (nobody | @none)")
        let error = #expect(throws: SelectionFaults.self) { _ = try selector.select(from: Self.machines) }
        #expect(error?.faults.map(\.column) == [1, 12, 18, 28])
        #expect(
            error?.faults[1].shown(in: selector.text)
                == "  r1u99 rack=r8 - (nobody | @none)\n             ^ no machine stands in rack r8; there are r1, r2, r9"
        )
    }

    @Test("nothing that people type crashes it, and what selects does so twice")
    func anything() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "r1u01", "r1u", "[", "01-04", "]", "(", ")", " ", "-", ",", "|", "&", "!", "=", "in", "notin", "@", "*",
            "?", "\"", "rack", "env", "=r1", "é", "\u{0}", "unit=1-3",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...9, using: &random)).map { _ in pieces.randomElement(using: &random) ?? ""
            }
            .joined()
            guard let selector = try? MachineSelector(text) else { continue }
            let first = try? selector.select(from: Self.machines)
            #expect((try? selector.select(from: Self.machines)) == first)
            if let first { #expect(Set(first.machines.map(\.id)).isSuperset(of: first.named)) }
        }
    }

    @Test("sets: either, both and without are what they are of sets")
    func laws() throws {
        let sets = ["rack=r1", "@dell-r650", "env=prod", "r1u[01-03]", "!cluster", "phase=ready"]
        for a in sets {
            for b in sets {
                let (left, right) = (Set(try selected(a)), Set(try selected(b)))
                #expect(Set(try selected("\(a) | \(b)")) == left.union(right))
                #expect(Set(try selected("\(a) \(b)")) == left.union(right))
                #expect(Set(try selected("\(a) & \(b)")) == left.intersection(right))
                #expect(Set(try selected("\(a) - \(b)")) == left.subtracting(right))
                #expect(Set(try selected("* - (* - \(a))")) == left)
            }
        }
    }

    @Test(
        "it is bounded",
        arguments: [
            String(repeating: "(", count: 40) + "*" + String(repeating: ")", count: 40),
            "a[1-101]b[1-100]", "a[1-6000] b[1-6000]", (0..<101).map { "a\($0)*" }.joined(separator: " "),
            String(repeating: "a", count: 70_000), "a[99999999999999999999]",
        ])
    func bounds(text: String) { #expect(throws: SelectionFault.self) { _ = try MachineSelector(text) } }

    @Test("a thousand stars take no time worth telling")
    func stars() throws {
        let machine = SelectableMachine(id: "m-1", name: String(repeating: "a", count: 63))
        let selector = try MachineSelector(String(repeating: "*a", count: 1000) + "b")
        let took = ContinuousClock().measure { _ = try? selector.select(from: [machine]) }
        #expect(took < .seconds(1))
    }

    @Test(
        "a selector by labels alone",
        arguments: [
            ("env=prod", true), ("env==prod", true), ("env!=prod", false), ("env", true), ("!env", false),
            ("!spare", true),
            ("spare", false), ("spare!=x", true), ("env in (lab, prod),tier=web", true), ("env notin (lab)", true),
            ("env notin (prod)", false), ("none=", false), ("empty=", true), ("empty in (,x)", true),
            ("env=prod,tier=db", false),
        ])
    func labels(text: String, holds: Bool) throws {
        #expect(try LabelSelector(text).matches(["env": "prod", "tier": "web", "empty": ""]) == holds)
    }

    @Test(
        "what no label selector is",
        arguments: [
            ("", 1), ("env=prod tier", 10), ("env=*", 5), ("env in (a", 10), ("=x", 1), ("a,", 3), ("a b", 3),
            ("env=a[1-2]", 5),
        ])
    func badLabels(text: String, column: Int) {
        let fault = #expect(throws: SelectionFault.self) { _ = try LabelSelector(text) }
        #expect(fault?.column == column)
    }
}
