import Testing

@testable import Controllers

/// What an installer says in its own words goes into the trail, and from there onto terminals.
@Suite struct InstallationWordsTests {
    @Test(
        "lines stay, and what a terminal would obey goes",
        arguments: [
            ("no disk\nof that name\n", "no disk\nof that name"),
            ("\u{1b}[2Jgone\u{7f}\u{7}\r", "[2Jgone"),
            ("a\u{9b}2Jb\u{85}c", "a2Jbc"),
            ("Gerät fehlt", "Gerät fehlt"),
        ])
    func plain(said: String, kept: String) {
        #expect(InstallationDesk.plain(said) == kept)
    }

    @Test("of many words the last ones count")
    func end() {
        let said = (0..<10_000).map { "line \($0)" }.joined(separator: "\n")
        let kept = InstallationDesk.plain(said)
        #expect(kept.utf8.count <= InstallationDesk.limit)
        #expect(kept.hasSuffix("line 9999"))
        #expect(kept.split(separator: "\n").count == 100)
    }
}
