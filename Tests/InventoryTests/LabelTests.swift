import Inventory
import Testing

@Suite struct LabelTests {
    @Test(
        "keys of labels",
        arguments: [
            ("rack", true), ("a.b_c-d", true), ("example.com/class", true), ("A1", true), ("", false), ("-a", false),
            ("a-", false), ("a b", false), ("/a", false), ("a/", false), ("a/b/c", false), ("Example.com/a", false),
            ("ex_ample.com/a", false), ("é", false), (String(repeating: "a", count: 63), true),
            (String(repeating: "a", count: 64), false), (String(repeating: "a", count: 64) + ".com/a", false),
            ("a\nb", false),
        ])
    func keys(text: String, isFit: Bool) { #expect((Label.fault(ofKey: text) == nil) == isFit) }

    @Test(
        "values of labels",
        arguments: [
            ("", true), ("a", true), ("R750", true), ("a/b", false), ("a b", false), (".a", false), ("1.5", true),
            (String(repeating: "a", count: 64), false),
        ])
    func values(text: String, isFit: Bool) { #expect((Label.fault(ofValue: text) == nil) == isFit) }

    @Test(
        "patterns of names",
        arguments: [
            ("a", "a", true), ("a", "ab", false), ("*", "", true), ("*", "x", true), ("a*", "a", true),
            ("a*", "ba", false), ("*a", "ba", true), ("a*a", "a", false), ("a*a", "aa", true), ("a*b*c", "axbyc", true),
            ("a*b*c", "acb", false), ("**", "q", true), ("talos-1.*", "talos-1.9.0", true),
            ("talos-1.*", "talos-10", false), ("*b*b", "ab", false), ("*b*b", "abb", true),
        ])
    func patterns(pattern: String, name: String, fits: Bool) {
        #expect(NamePattern(pattern)?.matches(name) == fits)
    }

    @Test("what is no pattern", arguments: ["", "a b", "a/b", "a?", "é", String(repeating: "a", count: 129)])
    func noPatterns(text: String) { #expect(NamePattern(text) == nil) }

    @Test(
        "consoles",
        arguments: [
            ("ttyS0", "ttyS0"), ("ttyS1,115200", "ttyS1,115200"), ("ttyAMA0,115200n8", "ttyAMA0,115200n8"),
            ("ttyS9,9600e7r", "ttyS9,9600e7r"), ("tty0", "tty0"), ("hvc0", "hvc0"), ("ttyS10", nil), ("ttyS0,", nil),
            ("ttyS0,115200n8,x", nil), ("ttyS0,115200n9", nil), ("ttyS0,1152008", nil), ("ttyS0,115200r", nil),
            ("ttyS0 x", nil), ("tty0,9600", nil), ("", nil), ("ttyUSB0", nil), ("TTYS0", nil), ("ttyS0,115200nn", nil),
        ] as [(String, String?)])
    func consoles(text: String, known: String?) {
        #expect((try? KernelConsole(parsing: text))?.argument.description == known.map { "console=" + $0 })
    }
}
