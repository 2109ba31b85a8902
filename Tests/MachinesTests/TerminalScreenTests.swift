import Machines
import TestSupport
import Testing

/// What is on the screen after some output.
@Suite struct TerminalScreenTests {
    @Test(
        "cursor commands of firmware, boot loaders and kernels",
        arguments: [
            ("one\r\ntwo", ["one", "two"]),
            ("one\ntwo", ["one", "   two"]),
            ("progress 10%\rprogress 90%", ["progress 90%"]),
            ("abc\u{08}X", ["abX"]),
            ("a\tb", ["a       b"]),
            ("\u{1b}[2J\u{1b}[3;5Hhere", ["", "", "    here"]),
            ("\u{1b}[1;31mred\u{1b}[0m plain", ["red plain"]),
            ("gone\u{1b}[H\u{1b}[J", []),
            ("keep this\u{1b}[1;5H\u{1b}[K", ["keep"]),
            ("\u{1b}]0;title\u{07}text", ["text"]),
            ("\u{1b}(Btext\u{1b}c", []),
            ("\u{1b}[99999;99999Hx", Array(repeating: "", count: 24) + [String(repeating: " ", count: 79) + "x"]),
            ("ü→🙂", ["ü→🙂"]),
            (String(repeating: "x", count: 81), [String(repeating: "x", count: 80), "x"]),
        ])
    func table(output: String, wanted: [String]) {
        var screen = TerminalScreen()
        screen.feed(output.utf8)
        #expect(screen.lines == wanted)
        // The same in pieces.
        var slow = TerminalScreen()
        for byte in output.utf8 { slow.feed([byte]) }
        #expect(slow.lines == wanted)
    }

    @Test("the last twenty-five lines stay")
    func scrolls() {
        var screen = TerminalScreen()
        for number in 1...100 { screen.feed("line \(number)\r\n".utf8) }
        #expect(screen.lines.first == "line 77" && screen.lines.last == "line 100")
    }

    @Test("any bytes give a screen without control characters")
    func random() {
        for seed in 0..<300 {
            var random = SeededGenerator(seed: UInt64(seed))
            var screen = TerminalScreen()
            // Many escapes, so that more than text is met.
            screen.feed(
                (0..<2000).map { _ in
                    Bool.random(using: &random)
                        ? UInt8.random(in: 0...255, using: &random)
                        : [0x1b, 0x5b, 0x3b, 0x48][
                            Int.random(in: 0..<4, using: &random)]
                })
            #expect(screen.lines.count <= TerminalScreen.rows)
            for line in screen.lines {
                #expect(!line.unicodeScalars.contains { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) })
            }
        }
    }
}
