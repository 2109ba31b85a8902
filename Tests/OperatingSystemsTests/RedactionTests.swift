import ConfigDocuments
import OperatingSystems
import Testing

@Suite struct RedactionTests {
    @Test(
        "keys stay, and values that nobody knows to be harmless go",
        arguments: [
            ("token: s3cret\ntype: worker\n", "token: REDACTED\ntype: worker\n"),
            (
                "machine: {files: [{path: /etc/x, content: s3cret}]}",
                "machine:\n  files:\n  - path: /etc/x\n    content: REDACTED\n"
            ),
            (
                "[{\"op\": \"add\", \"path\": \"/a\", \"value\": \"s3cret\"}, {\"op\": \"test\", \"path\": \"/b\", \"value\": 1}]",
                "- op: add\n  path: /a\n  value: REDACTED\n"
            ),
            ("just s3cret", "REDACTED\n"), ("a: [", "REDACTED\n"), ("", "REDACTED\n"),
            ("a: 1\n---\nb: s3cret\n", "a: REDACTED\n---\nb: REDACTED\n"),
        ])
    func configuration(text: String, shown: String) throws {
        let redacted = Redaction.configuration(text)
        #expect(try ConfigValue.documents(yaml: redacted) == ConfigValue.documents(yaml: shown), "\(redacted)")
        #expect(!redacted.contains("s3cret"))
    }
}
