import ConfigDocuments
import Testing

@Suite struct MergePatchTests {
    /// RFC 7396, appendix A.
    static let rows = [
        ("{a: b}", "{a: c}", "{a: c}"), ("{a: b}", "{b: c}", "{a: b, b: c}"), ("{a: b}", "{a: null}", "{}"),
        ("{a: b, b: c}", "{a: null}", "{b: c}"), ("{a: [b]}", "{a: c}", "{a: c}"), ("{a: c}", "{a: [b]}", "{a: [b]}"),
        ("{a: {b: c}}", "{a: {b: d, c: null}}", "{a: {b: d}}"), ("{a: [{b: c}]}", "{a: [1]}", "{a: [1]}"),
        ("[a, b]", "[c, d]", "[c, d]"), ("{a: b}", "[c]", "[c]"), ("{e: null}", "{a: 1}", "{e: null, a: 1}"),
        ("[1, 2]", "{a: b, c: null}", "{a: b}"), ("{}", "{a: {bb: {ccc: null}}}", "{a: {bb: {}}}"),
    ]

    @Test("the table of the RFC", arguments: rows)
    func table(target: String, patch: String, result: String) throws {
        func value(_ text: String) throws -> ConfigValue { try #require(try ConfigValue.documents(yaml: text).first) }
        #expect(try value(target).merged(with: value(patch)) == value(result))
    }
}
