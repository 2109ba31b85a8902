import Foundation
import TestSupport
import Testing

@testable import OperatingSystems

@Suite struct TemplateTests {
    private static let facts = [
        "hostname": "node-1", "token": "a'b \"c\"\n", "empty": "", "blank": "a b", "accent": "é",
    ]

    @Test(
        "facts stand where they are named",
        arguments: [
            ("", ""), ("plain { text }", "plain { text }"), ("{{hostname}}", "node-1"),
            ("a {{ hostname }} b{{hostname}}", "a node-1 bnode-1"), ("{{ empty }}", ""),
            ("{{ token | json }}", #""a'b \"c\"\n""#), ("{{ token | base64 }}", "YSdiICJjIgo="),
            ("}} {{ hostname | sh }}", "}} 'node-1'"),
        ])
    func renders(text: String, result: String) throws {
        #expect(try Template(text: text).render(Self.facts, field: "f") == result)
    }

    @Test(
        "what is unknown, unclosed or unquoted is an error",
        arguments: [
            "{{ other }}", "{{ hostname", "{{ hostname | html }}", "{{ token }}", "{{ blank }}", "{{ accent }}",
            "{{ hostname | sh | sh }}", "{{}}",
        ])
    func refuses(text: String) {
        #expect(throws: ConfigurationError.self) { try Template(text: text).render(Self.facts, field: "f") }
    }

    @Test("what it makes is bounded, and what a fact says is not read again")
    func bounds() throws {
        let large = ["x": String(repeating: "x", count: 64 << 10)]
        #expect(throws: ConfigurationError.self) {
            try Template(text: String(repeating: "{{x}}", count: 20)).render(large, field: "f")
        }
        #expect(
            try Template(text: "{{ x | sh }}").render(["x": "{{ x }}"], field: "f") == "'{{ x }}'")
    }

    @Test(
        "a shell reads one word, whatever is in it",
        arguments: HostileValueTests.texts.filter { !$0.contains("\u{0}") && $0.utf8.count < 4096 })
    func shell(text: String) async throws {
        let rendered = try Template(text: "printf %s {{ x | sh }} | od -An -tx1 -v").render(["x": text], field: "f")
        let (_, output) = try await ChildProcess.run("sh", ["-c", rendered])
        #expect(
            output.filter { $0.isHexDigit } == text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
}
