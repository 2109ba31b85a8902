import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite struct LineDifferenceTests {
    @Test("no change says nothing; a change stands among the lines around it")
    func unified() {
        let old = (1...9).map(String.init)
        #expect(LineDifference(from: old, to: old).unified("a", "b").isEmpty)
        var new = old
        new[4] = "five"
        new.append("ten")
        #expect(
            LineDifference(from: old, to: new).unified("a", "b", context: 1) == [
                "--- a", "+++ b", "@@", " 4", "-5", "+five", " 6", "@@", " 9", "+ten",
            ])
        #expect(LineDifference(from: [], to: ["x"]).unified("a", "b") == ["--- a", "+++ b", "+x"])
        #expect(LineDifference(from: ["x"], to: []).unified("a", "b") == ["--- a", "+++ b", "-x"])
    }

    @Test("what stays and what is new is the new text; what stays and what is gone is the old one")
    func reversible() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            func text() -> [String] {
                (0..<Int.random(in: 0...12, using: &generator)).map { _ in ["a", "b", "c"].randomElement() ?? "a" }
            }
            let (old, new) = (text(), text())
            let lines = LineDifference(from: old, to: new).lines
            func kept(_ isOld: Bool) -> [String] {
                lines.compactMap { line in
                    switch line {
                    case .same(let text): text
                    case .gone(let text): isOld ? text : nil
                    case .new(let text): isOld ? nil : text
                    }
                }
            }
            #expect(kept(true) == old && kept(false) == new)
        }
    }
}
