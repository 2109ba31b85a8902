import ConfigDocuments
import Testing

@Suite struct JSONPatchTests {
    static func document(_ text: String) throws -> ConfigValue {
        try #require(try ConfigValue.documents(yaml: text).first)
    }

    @Test(
        "RFC 6902's own examples, and places that are not there",
        arguments: [
            // Appendix A, by number.
            (#"{"foo": "bar"}"#, #"[{"op": "add", "path": "/baz", "value": "qux"}]"#, #"{"foo": "bar", "baz": "qux"}"#),
            (
                #"{"foo": ["bar", "baz"]}"#, #"[{"op": "add", "path": "/foo/1", "value": "qux"}]"#,
                #"{"foo": ["bar", "qux", "baz"]}"#
            ),
            (#"{"baz": "qux", "foo": "bar"}"#, #"[{"op": "remove", "path": "/baz"}]"#, #"{"foo": "bar"}"#),
            (#"{"foo": ["bar", "qux", "baz"]}"#, #"[{"op": "remove", "path": "/foo/1"}]"#, #"{"foo": ["bar", "baz"]}"#),
            (
                #"{"baz": "qux", "foo": "bar"}"#, #"[{"op": "replace", "path": "/baz", "value": "boo"}]"#,
                #"{"baz": "boo", "foo": "bar"}"#
            ),
            (
                #"{"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}"#,
                #"[{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]"#,
                #"{"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}"#
            ),
            (
                #"{"foo": ["all", "grass", "cows", "eat"]}"#, #"[{"op": "move", "from": "/foo/1", "path": "/foo/3"}]"#,
                #"{"foo": ["all", "cows", "eat", "grass"]}"#
            ),
            (
                #"{"baz": "qux", "foo": ["a", 2, "c"]}"#,
                #"[{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}]"#,
                #"{"baz": "qux", "foo": ["a", 2, "c"]}"#
            ),
            (#"{"baz": "qux"}"#, #"[{"op": "test", "path": "/baz", "value": "bar"}]"#, nil),
            (
                #"{"foo": "bar"}"#, #"[{"op": "add", "path": "/child", "value": {"grandchild": {}}}]"#,
                #"{"foo": "bar", "child": {"grandchild": {}}}"#
            ),
            (
                #"{"foo": "bar"}"#, #"[{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}]"#,
                #"{"foo": "bar", "baz": "qux"}"#
            ),
            (#"{"foo": "bar"}"#, #"[{"op": "add", "path": "/baz/bat", "value": "qux"}]"#, nil),
            (#"{"/": 9, "~1": 10}"#, #"[{"op": "test", "path": "/~01", "value": 10}]"#, #"{"/": 9, "~1": 10}"#),
            (#"{"/": 9, "~1": 10}"#, #"[{"op": "test", "path": "/~01", "value": "10"}]"#, nil),
            (
                #"{"foo": ["bar"]}"#, #"[{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}]"#,
                #"{"foo": ["bar", ["abc", "def"]]}"#
            ),
            // Others.
            (#"{"a": 1}"#, #"[{"op": "replace", "path": "/b", "value": 1}]"#, nil),
            (#"{"a": 1}"#, #"[{"op": "remove", "path": "/b"}]"#, nil),
            (#"{"a": [1]}"#, #"[{"op": "remove", "path": "/a/1"}]"#, nil),
            (#"{"a": [1]}"#, #"[{"op": "add", "path": "/a/2", "value": 1}]"#, nil),
            (#"{"a": [1]}"#, #"[{"op": "replace", "path": "/a/0", "value": 2}]"#, #"{"a": [2]}"#),
            (#"{"a": [1, 2]}"#, #"[{"op": "replace", "path": "/a/-", "value": 2}]"#, nil),
            (#"{"a": [1]}"#, #"[{"op": "add", "path": "/a/01", "value": 1}]"#, nil),
            (#"{"a": {"b": 1}}"#, #"[{"op": "move", "from": "/a", "path": "/a/c"}]"#, nil),
            (#"{"a": {"b": 1}}"#, #"[{"op": "copy", "from": "/a", "path": "/c"}]"#, #"{"a": {"b": 1}, "c": {"b": 1}}"#),
            (#"{"a": 1}"#, #"[{"op": "replace", "path": "", "value": {"b": 2}}]"#, #"{"b": 2}"#),
            (
                #"{"a": {"b": 1, "c": 2}}"#, #"[{"op": "test", "path": "/a", "value": {"c": 2, "b": 1}}]"#,
                #"{"a": {"b": 1, "c": 2}}"#
            ),
            (#"{"a": 1}"#, #"[{"op": "add", "path": "/a/b", "value": 1}]"#, nil),
        ] as [(String, String, String?)])
    func changes(text: String, patch: String, result: String?) throws {
        let (document, patch) = (try Self.document(text), try JSONPatch(try Self.document(patch)))
        if let result {
            let (changed, wanted) = (try patch.applied(to: document), try Self.document(result))
            #expect(changed == wanted)
        } else {
            #expect(throws: ConfigSyntaxError.self) { try patch.applied(to: document) }
        }
    }

    @Test(
        "what is no patch is refused",
        arguments: [
            #"{"op": "add"}"#, #"[{"op": "add", "path": "a", "value": 1}]"#, #"[{"op": "add", "path": "/a"}]"#,
            #"[{"op": "move", "path": "/a"}]"#, #"[{"op": "frob", "path": "/a"}]"#, #"[{"path": "/a"}]"#, "[1]",
        ])
    func refused(text: String) throws {
        let document = try Self.document(text)
        #expect(throws: ConfigSyntaxError.self) { try JSONPatch(document) }
    }
}
