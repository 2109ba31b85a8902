import TestSupport
import Testing

@testable import IPMI

@Suite struct ConsoleLineTests {
    static func sent(_ actions: [ConsoleLine.Action]) -> ConsolePacket? {
        for case .send(let packet) in actions { return packet }
        return nil
    }

    @Test("one packet is under way, with the same number until it is acknowledged")
    func window() throws {
        var line = ConsoleLine(most: 4, tries: 3)
        let first = try #require(Self.sent(line.type(Array("abcdef".utf8))))
        #expect(first.sequence == 1 && first.characters == Array("abcd".utf8))
        #expect(line.type([0x21]).isEmpty)
        #expect(line.waited() == [.send(first)] && line.waited() == [.send(first)] && line.waited() == [.lost])
        let next = line.receive(ConsolePacket(acknowledged: 1, accepted: 4))
        #expect(next.first == .taken(4) && Self.sent(next)?.sequence == 2)
        // A late acknowledgement of the first is nothing.
        #expect(line.receive(ConsolePacket(acknowledged: 1, accepted: 4)).isEmpty)
    }

    @Test("what is not taken goes out again under a new number, after a wait")
    func partial() {
        var line = ConsoleLine(most: 10)
        _ = line.type(Array("abcdef".utf8))
        #expect(line.receive(ConsolePacket(acknowledged: 1, accepted: 2, flags: .nack)) == [.taken(2)])
        #expect(line.isWaiting)
        let packet = Self.sent(line.waited())
        #expect(packet?.sequence == 2 && packet?.characters == Array("cdef".utf8))
    }

    @Test("what comes twice is delivered once, and acknowledged twice; what is new behind it is delivered")
    func repeats() {
        var line = ConsoleLine(most: 10)
        let packet = ConsolePacket(sequence: 5, characters: Array("hi".utf8))
        let answer = ConsoleLine.Action.send(ConsolePacket(acknowledged: 5, accepted: 2))
        #expect(line.receive(packet) == [.deliver(Array("hi".utf8)), answer] && line.receive(packet) == [answer])
        let longer = ConsolePacket(sequence: 5, characters: Array("hi!".utf8))
        #expect(line.receive(longer).first == .deliver(Array("!".utf8)))
        // Without room it is not acknowledged, and comes again.
        #expect(line.receive(ConsolePacket(sequence: 6, characters: [1]), room: false).isEmpty)
        #expect(line.receive(ConsolePacket(sequence: 6, characters: [1])).first == .deliver([1]))
    }

    @Test("a break, the BMC's own end, lost characters")
    func signals() {
        var line = ConsoleLine(most: 10)
        let packet = Self.sent(line.typeBreak())
        #expect(packet?.flags == .sendBreak && packet?.bytes == [1, 0, 0, 0x10])
        #expect(line.receive(ConsolePacket(acknowledged: 1)) == [.taken(1)])
        #expect(line.receive(ConsolePacket(flags: .deactivated)) == [.ended])
        #expect(line.receive(ConsolePacket(flags: .overrun)) == [.overrun])
        #expect(line.receive(ConsolePacket(flags: .overrun), room: false).isEmpty)
        let lost = ConsolePacket(sequence: 3, flags: .overrun, characters: [1])
        #expect(line.receive(lost, room: false).isEmpty)
        #expect(line.receive(lost).contains(.overrun) && !line.receive(lost).contains(.overrun))
        #expect(ConsolePacket([1, 2, 3]) == nil)
    }

    /// Two lines over a network that loses, repeats and delays: each character arrives once, in order.
    @Test("at most once, and in the end once, over a bad network", arguments: 1...20)
    func network(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var (left, right) = (ConsoleLine(most: 5, tries: 1000), ConsoleLine(most: 7, tries: 1000))
        let texts = (generator.bytes(200), generator.bytes(200))
        var wire: [(toRight: Bool, packet: ConsolePacket)] = []
        var heard: ([UInt8], [UInt8]) = ([], [])
        func put(_ actions: [ConsoleLine.Action], fromLeft: Bool) {
            for action in actions {
                if case .send(let packet) = action, Int.random(in: 0..<10, using: &generator) > 2 {
                    wire.append((fromLeft, packet))
                    if Int.random(in: 0..<10, using: &generator) == 0 { wire.append((fromLeft, packet)) }
                }
                if case .deliver(let bytes) = action { fromLeft ? (heard.0 += bytes) : (heard.1 += bytes) }
            }
        }
        put(left.type(texts.0), fromLeft: true)
        put(right.type(texts.1), fromLeft: false)
        for _ in 0..<5000 where heard.0.count < 200 || heard.1.count < 200 {
            if wire.isEmpty {
                put(left.waited(), fromLeft: true)
                put(right.waited(), fromLeft: false)
                continue
            }
            // Mostly in order: packets of one line that overtake one another by far are not what §15 is made for.
            let (toRight, packet) = wire.removeFirst()
            put(toRight ? right.receive(packet) : left.receive(packet), fromLeft: !toRight)
        }
        #expect(heard.1 == texts.0 && heard.0 == texts.1)
    }
}
