import Testing

@testable import Commands

/// Keys of a console: which are the machine's, and which are ours.
@Suite struct ConsoleKeysTests {
    @Test(
        "a tilde behind a new line is a command's",
        arguments: [
            ("ls\r", [ConsoleKeys.Action.send(Array("ls\r".utf8))]),
            ("~.", [.leave]),
            ("a~.", [.send(Array("a~.".utf8))]),
            ("x\r~.more", [.send(Array("x\r".utf8)), .leave]),
            ("\r~b", [.send(Array("\r".utf8)), .sendBreak]),
            ("~~", [.send(Array("~".utf8))]),
            ("~x", [.send(Array("~x".utf8))]),
            ("~\r~.", [.send(Array("~\r".utf8)), .leave]),
        ])
    func table(typed: String, wanted: [ConsoleKeys.Action]) {
        var whole = ConsoleKeys()
        #expect(whole.feed(Array(typed.utf8)) == wanted)
        // The same when every key comes alone.
        var single = ConsoleKeys()
        var actions: [ConsoleKeys.Action] = []
        for byte in typed.utf8 where actions.last != .leave { actions += single.feed([byte]) }
        #expect(joined(actions) == wanted)
    }

    private func joined(_ actions: [ConsoleKeys.Action]) -> [ConsoleKeys.Action] {
        actions.reduce(into: []) { joined, action in
            if case .send(let more) = action, case .send(let former) = joined.last {
                joined[joined.count - 1] = .send(former + more)
            } else {
                joined.append(action)
            }
        }
    }
}

@Suite struct OutputTests {
    @Test(
        "words of strangers do not command a terminal",
        arguments: [
            ("plain", "plain"), ("a\tb\nc", "a\tb\nc"), ("\u{1b}[2J", "\u{fffd}[2J"), ("\u{9b}31m", "\u{fffd}31m"),
            ("bell\u{07}", "bell\u{fffd}"), ("é 🙂", "é 🙂"),
        ])
    func fit(text: String, wanted: String) { #expect(Output.fit(text) == wanted) }
}
