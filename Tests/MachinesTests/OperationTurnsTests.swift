import Machines
import Testing

@Suite struct OperationTurnsTests {
    @Test("no more than the limits, and the one that has waited longest is next")
    func limits() {
        var turns = OperationTurns(limits: .init(total: 3, perRack: 2))
        #expect(turns.take("a", machine: "1", rack: "r1") == nil)
        #expect(turns.take("b", machine: "2", rack: "r1") == nil)
        #expect(turns.take("a", machine: "1", rack: "r1") == nil, "it runs already")
        #expect(turns.take("c", machine: "3", rack: "r1")?.contains("rack r1") == true)
        #expect(turns.take("d", machine: "4", rack: nil) == nil)
        #expect(turns.take("e", machine: "5", rack: "r2")?.contains("at most 3") == true)
        // A place that only another rack may have goes to that.
        #expect(turns.leave("d") == "5")
        #expect(turns.take("e", machine: "5", rack: "r2") == nil)
        #expect(turns.leave("a") == "3")
        #expect(turns.leave("a") == nil, "it has left already")
        #expect(turns.take("c", machine: "3", rack: "r1") == nil)
        #expect(turns.count == 3)
    }

    @Test("any order of asking and leaving keeps within the limits, and loses nobody")
    func property() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var turns = OperationTurns(limits: .init(total: 4, perRack: 2))
            var (running, waiting): (Set<Int>, Set<Int>) = ([], Set(0..<30))
            func rack(_ id: Int) -> String? { id % 4 == 0 ? nil : "r\(id % 4)" }
            while !waiting.isEmpty || !running.isEmpty {
                if let id = waiting.randomElement(using: &random), Bool.random(using: &random) || running.isEmpty {
                    if turns.take("\(id)", machine: "\(id)", rack: rack(id)) == nil {
                        waiting.remove(id)
                        running.insert(id)
                    }
                } else if let id = running.randomElement(using: &random) {
                    running.remove(id)
                    if let next = turns.leave("\(id)").flatMap(Int.init) {
                        #expect(waiting.contains(next))
                        #expect(turns.take("\(next)", machine: "\(next)", rack: rack(next)) == nil)
                        waiting.remove(next)
                        running.insert(next)
                    }
                }
                #expect(running.count <= 4 && running.count == turns.count)
                for name in ["r1", "r2", "r3"] { #expect(running.count { rack($0) == name } <= 2) }
            }
        }
    }
}
