import ConfigDocuments
import Foundation
import TestSupport
import Testing

@Suite struct ConfigValueTests {
    /// Texts that some reader of YAML takes for something else, breaks on, or lets out of their quotes.
    static let hostile = [
        "", " ", "yes", "No", "on", "null", "~", "true", "1", "0755", "0x10", "1e3", ".inf", "12:30:45", "1_000", "=",
        "<<",
        "- a", "a: b", "a #b", "#a", "*a", "&a", "!a", "%a", "@a", "`a`", "'", "\"", "\\", "a\\nb", "${HOME}", "{{a}}",
        "[a]",
        "{a}", "a\nb", "a\n", "\na", "a\n\n", "a\r\nb", "\ta", "a\t", " a", "a ", "a\u{0}b", "a\u{7f}b", "a\u{85}b",
        "a\u{2028}b",
        "a\u{feff}b", "é", "日本", "🚀", "---", "...", "--- a", "a\n---\nb: c", "a\n  b\n c", "? a", ": a", "|", ">", "a:",
        "2001-12-14",
        "\u{1b}[31m", "key: |\n  x", String(repeating: "a b", count: 500),
    ]

    @Test("whatever a text looks like, every reader of YAML gets it back as text", arguments: hostile)
    func yamlTexts(text: String) throws {
        let value: ConfigValue = ["a": .text(text), "b": [.text(text), ["c": .text(text)]]]
        let read = try ConfigValue.documents(yaml: value.yaml)
        #expect(read.map(Self.withoutStyle) == [value])
    }

    @Test("keys too", arguments: hostile)
    func yamlKeys(key: String) throws {
        let value: ConfigValue = .mapping(ConfigMapping([(key, "b")]))
        let read = try ConfigValue.documents(yaml: value.yaml)
        #expect(read.map(Self.withoutStyle) == [value])
    }

    @Test("JSON's own reader gets every text back", arguments: hostile)
    func json(text: String) throws {
        let value: ConfigValue = [.text(text), 1, true, .null, .mapping(ConfigMapping())]
        let read = try #require(try JSONSerialization.jsonObject(with: Data(value.json.utf8)) as? [Any])
        #expect(read[0] as? String == text)
        #expect(read[1] as? Int == 1)
        #expect(read[2] as? Bool == true)
        #expect(read[3] is NSNull)
    }

    @Test("PyYAML, of YAML 1.1, and Python's readers of JSON and TOML get the same")
    func python() async throws {
        let value: ConfigValue = [
            "texts": .texts(Self.hostile), "tables": ["a b": ["x": 1, "y": [true, 2]], "c": ["d": "e"]],
        ]
        let program = """
            import sys, json, yaml, tomllib
            read = {"yaml": yaml.safe_load, "json": json.loads, "toml": tomllib.loads}[sys.argv[1]]
            print(json.dumps(read(open(sys.argv[2], newline="", encoding="utf-8").read())))
            """
        for (kind, text) in [("yaml", value.yaml), ("json", value.json), ("toml", try value.toml())] {
            let answer = try await withTemporaryDirectory { directory in
                try Data(text.utf8).write(to: URL(filePath: directory + "/text"))
                let child = try ChildProcess(try PythonPeer.path("python"), ["-c", program, kind, directory + "/text"])
                #expect(await child.ended() == 0, "\(child.output)")
                return child.output
            }
            let read = try #require(
                try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any], "\(kind)")
            #expect(read["texts"] as? [String] == Self.hostile, "\(kind)")
            let tables = try #require(read["tables"] as? [String: [String: Any]], "\(kind)")
            #expect(tables["a b"]?["x"] as? Int == 1)
            #expect(tables["c"]?["d"] as? String == "e")
        }
    }

    @Test("what a person wrote without quotes stays without, and keeps its meaning for its reader")
    func plain() throws {
        let text = "version: v1alpha1\nport: 0644\nflag: yes\nnothing: null\nquoted: \"1\"\nratio: 1.50\n"
        let value = try #require(try ConfigValue.documents(yaml: text).first)
        #expect(value["port"] == .plain("0644"))
        #expect(value["quoted"] == .text("1"))
        #expect(value.yaml == text)
    }

    @Test("lines stay lines, and order stays order")
    func lines() {
        let value: ConfigValue = ["z": "one\ntwo\n", "a": ["list": ["x", 1]], "empty": [:], "none": []]
        #expect(
            value.yaml == """
                z: |
                  one
                  two
                a:
                  list:
                  - x
                  - 1
                empty: {}
                none: []

                """)
    }

    @Test(
        "what would not mean the same to all readers is refused at its line",
        arguments: [
            ("a: &x 1\nb: *x", "anchor"), ("a: 1\na: 2", "twice"), ("a: [1", ""), ("? [a]\n: b", "no text"),
            ("a: b: c", ""),
        ])
    func refused(text: String, words: String) {
        let error = #expect(throws: ConfigSyntaxError.self) { try ConfigValue.documents(yaml: text) }
        #expect(error?.line != nil)
        #expect(error?.reason.contains(words) == true || words.isEmpty)
    }

    @Test("random bytes are read or refused, and never more than the limit")
    func random() {
        var generator = SeededGenerator(seed: 11)
        for _ in 0..<2_000 {
            let count = Int.random(in: 0..<80, using: &generator)
            let alphabet = Array("ab:-[]{}\"'|>#&*!%@`\n\t \\,?0~<=".utf8)
            let bytes = (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            _ = try? ConfigValue.documents(yaml: String(decoding: bytes, as: UTF8.self))
        }
        let long = String(repeating: "- 1\n", count: ConfigValue.valueLimit)
        #expect(throws: ConfigSyntaxError.self) { try ConfigValue.documents(yaml: long) }
    }

    @Test("TOML: values first, then tables; what it cannot say is refused")
    func toml() throws {
        let value: ConfigValue = [
            "settings": [
                "kubernetes": ["api-server": "https://[fd00::1]:6443", "labels": ["a/b": "c"]], "motd": "x\ny",
            ],
            "version": 3,
        ]
        #expect(
            try value.toml() == """
                version = 3

                [settings]
                motd = "x\\ny"

                [settings.kubernetes]
                api-server = "https://[fd00::1]:6443"

                [settings.kubernetes.labels]
                "a/b" = "c"

                """)
        #expect(throws: ConfigSyntaxError.self) { try ConfigValue.list([]).toml() }
        #expect(throws: ConfigSyntaxError.self) { try (["a": .null] as ConfigValue).toml() }
    }

    /// Every scalar as text: YAML's own quotes do not matter here.
    static func withoutStyle(_ value: ConfigValue) -> ConfigValue {
        switch value {
        case .plain(let text), .text(let text): .text(text)
        case .list(let items): .list(items.map(withoutStyle))
        case .mapping(let mapping): .mapping(ConfigMapping(mapping.pairs.map { ($0.key, withoutStyle($0.value)) }))
        }
    }
}
