import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct SyslogMessageTests {
    @Test(
        "the words and their severity, in every dialect that machines speak",
        arguments: [
            ("<3>kernel: e1000e: probe failed", 3, "kernel: e1000e: probe failed"),
            ("<14>slipway-agent: version 1", 6, "slipway-agent: version 1"),
            ("<34>1 2003-10-11T22:14:15.003Z host su - ID47 - 'su root' failed", 2, "'su root' failed"),
            ("<34>1 - - - - - -", 2, ""), ("<13>\n  a\nb", 5, "a"),
            ("bare words of netconsole\n", 5, "bare words of netconsole"), ("<999>x", 5, "<999>x"), ("<>x", 5, "<>x"),
            ("<1", 5, "<1"), ("", 5, ""), ("<7>\u{1b}]0;owned\u{7}", 7, "?]0;owned?"),
        ] as [(String, UInt8, String)])
    func dialects(datagram: String, severity: UInt8, text: String) {
        let message = SyslogMessage(datagram.utf8)
        #expect(message.severity == severity && message.text == text)
    }

    @Test("random bytes make one short line of text")
    func random() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0..<400, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let text = SyslogMessage(bytes).text
            #expect(text.utf8.count <= 200 && text.utf8.allSatisfy { (0x20...0x7e).contains($0) })
        }
    }
}
