import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct SyslogMessageTests {
    @Test(
        "the words, in every dialect that machines speak",
        arguments: [
            ("<3>kernel: e1000e: probe failed", "kernel: e1000e: probe failed"),
            ("<14>slipway-agent: version 1", "slipway-agent: version 1"),
            ("<34>1 2003-10-11T22:14:15.003Z host su - ID47 - 'su root' failed", "'su root' failed"),
            ("<34>1 - - - - - -", ""), ("<13>\n  a\nb", "a"),
            ("bare words of netconsole\n", "bare words of netconsole"), ("<999>x", "<999>x"), ("<>x", "<>x"),
            ("<1", "<1"), ("", ""), ("<7>\u{1b}]0;owned\u{7}", "?]0;owned?"),
        ] as [(String, String)])
    func dialects(datagram: String, text: String) {
        #expect(SyslogMessage(datagram.utf8).text == text)
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
