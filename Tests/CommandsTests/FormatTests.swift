import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import ProfileFiles
import Testing

@testable import Commands

@Suite struct FormatTests {
    @Test("columns are as wide as their widest cell, and give way where the terminal is narrow")
    func table() {
        var table = TextTable(["NAME", "WHAT"], [["a", "short"], ["node-1", String(repeating: "x", count: 40)]])
        #expect(table.lines()[0] == "NAME    WHAT" && table.lines()[1] == "a       short")
        let narrow = table.lines(width: 30)
        #expect(narrow.allSatisfy { $0.count <= 30 } && narrow[2].hasSuffix("x…"), "\(narrow)")
        #expect(table.lines(width: 3)[2].hasPrefix("node-1  xxxxxxx…"), "columns have a least width")
        table.columns[1].isFirm = true
        #expect(table.lines(width: 30)[2].hasSuffix(String(repeating: "x", count: 40)), "a firm one keeps its width")
        table.columns.append(.init(title: "MORE", isWide: true))
        table.rows = table.rows.map { $0 + ["y"] }
        #expect(!table.lines()[0].contains("MORE") && table.lines(isWide: true)[1].hasSuffix("y"))
    }

    @Test("cells that strangers wrote break no line and command no terminal; only our colours do")
    func strangers() {
        let column = TextTable.Column(title: "A", tone: { _ in .bad })
        let lines = TextTable([column], [["x\u{1b}[2Jy\nz"]]).lines(painter: Painter(isOn: true))
        #expect(lines[1] == "\u{1b}[31mx\u{fffd}[2Jy z\u{1b}[0m")
    }

    @Test(
        "when there are colours",
        arguments: [
            (ColorChoice.auto, true, [:], true), (.auto, false, [:], false), (.auto, true, ["NO_COLOR": "1"], false),
            (.auto, true, ["NO_COLOR": ""], true), (.auto, true, ["TERM": "dumb"], false),
            (.always, false, ["NO_COLOR": "1"], true), (.never, true, [:], false),
        ] as [(ColorChoice, Bool, [String: String], Bool)])
    func colours(choice: ColorChoice, isTerminal: Bool, environment: [String: String], isOn: Bool) {
        #expect(Painter(choice, isTerminal: isTerminal, environment: environment).isOn == isOn)
    }

    @Test(
        "times as people write them",
        arguments: [
            ("30s", 30), ("30m", 1800), ("2h", 7200), ("7d", 604_800), ("1w", 604_800), ("90", 90), ("0s", 0),
            ("", nil), ("m", nil), ("-1s", nil), ("1.5h", nil), ("5 m", nil), ("9999999999d", nil), ("999999w", nil),
            ("٣m", nil),
        ])
    func spans(text: String, seconds: Int?) { #expect(TimeSpan(argument: text)?.seconds == seconds) }

    @Test("a time says itself", arguments: [(90, "90s"), (1800, "30m"), (7200, "2h"), (604_800, "7d"), (0, "0s")])
    func spanWords(seconds: Int, text: String) { #expect(TimeSpan(seconds: seconds).description == text) }

    @Test("JSON as YAML: nothing changes its kind on the way")
    func yaml() throws {
        let json =
            #"{"a":"true","b":true,"c":"1.5","d":1.5,"e":null,"f":[],"g":{},"h":"x: y","i":"","j":"line\nline","k":9007199254740993,"l":"null","m":"é ~"}"#
        let text = try YAMLText.write(json: Data(json.utf8))
        let script = "import sys, yaml, json; print(json.dumps(yaml.safe_load(sys.stdin), sort_keys=True))"
        // A peer where there is one; by eye otherwise.
        #expect(
            text.contains("a: 'true'\nb: true\n") && text.contains("k: 9007199254740993") && text.contains("m: é ~"),
            "\(text)")
        #expect(
            text.contains("e: null") && text.contains("l: 'null'") && text.contains("c: '1.5'"),
            "\(text), \(script.count)")
    }

    @Test(
        "the next command to try",
        arguments: [
            (401, "the bearer token is unknown", "slipway context show"), (404, "no node x", "slipway machine list"),
            (503, "busy", "slipway doctor"),
        ])
    func advice(status: Int, detail: String, command: String) {
        #expect(Advice.next(after: .init(title: "x", status: status, detail: detail))?.hasPrefix(command) == true)
        #expect(Advice.next(after: .init(title: "x", status: 404, detail: "see `slipway os list`")) == nil)
        #expect(Advice.next(after: .init("x does not answer: y"))?.contains("slipway context show") == true)
    }

    @Test(
        "what can be waited for",
        arguments: [
            ("phase=ready", WaitGoal.phase([.ready])), ("phase=ready,failed", .phase([.ready, .failed])),
            ("condition=NodeReady", .condition(.nodeReady, true)),
            ("condition=NodeReady=false", .condition(.nodeReady, false)),
            ("deleted", .deleted), ("phase=redy", nil), ("phase=", nil), ("phase=ready,", nil), ("condition=x", nil),
            ("deleted=1", nil), ("", nil), ("condition=NodeReady=maybe", nil),
        ] as [(String, WaitGoal?)])
    func goals(text: String, goal: WaitGoal?) { #expect(WaitGoal(argument: text) == goal) }

    @Test("each exit status is documented in docs/cli.md")
    func statuses() throws {
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent("docs/cli.md"), encoding: .utf8)
        for status in Commands.ExitStatus.allCases {
            #expect(page.contains("| \(status.rawValue) | \(status.words) |"))
        }
    }

    @Test("every command of the page is one", arguments: pageCommands)
    func commands(line: String) throws {
        var words = line.split(separator: " ").map(String.init)
        guard words.removeFirst() == "slipway" else { return }
        words = words.map { $0.trimmingCharacters(in: ["'"]) }
        do {
            _ = try SlipwayCommand.parseAsRoot(words)
        } catch {
            Issue.record("\(line): \(SlipwayCommand.message(for: error))")
        }
    }

    /// Lines of docs/cli.md that begin with `    slipway`, up to two blanks, a pipe or a comment.
    private static let pageCommands: [String] = {
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("docs/cli.md")
        let text = (try? String(contentsOf: path, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").filter { $0.hasPrefix("    slipway ") }.map { line in
            String(line.dropFirst(4).prefix { $0 != "#" && $0 != ">" && $0 != "|" }).trimmingCharacters(
                in: .whitespaces)
        }
    }()
}
