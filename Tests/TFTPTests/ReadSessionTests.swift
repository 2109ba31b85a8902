import TestSupport
import Testing

@testable import TFTP

private let second: Nanoseconds = 1_000_000_000

@Suite struct ReadSessionTests {
    /// Runs a transfer against a client that loses, repeats and reorders packets by the generator's dice. Returns what the client
    /// put together, and how long it took in the session's own time: 1 ms for every packet.
    static func transfer(
        size: Int, blockSize: Int, window: Int, loss: Double = 0, duplication: Double = 0, reordering: Double = 0,
        seed: UInt64 = 1
    ) -> (outcome: ReadSession.Outcome, sizes: [Int], time: Nanoseconds)? {
        var generator = SeededGenerator(seed: seed)
        var options: [(name: String, value: String)] = [("blksize", "\(blockSize)")]
        if window > 1 { options.append(("windowsize", "\(window)")) }
        let negotiation = Negotiation(ReadRequest(file: "f", options: options), fileSize: size)
        var session = ReadSession(fileSize: size, negotiation: negotiation)
        func happens(_ probability: Double) -> Bool { Double.random(in: 0..<1, using: &generator) < probability }
        func travelled<Item>(_ items: [Item]) -> [Item] {
            var arriving: [Item] = []
            for item in items where !happens(loss) {
                arriving.append(item)
                if happens(duplication) { arriving.append(item) }
            }
            for index in arriving.indices.dropLast() where happens(reordering) { arriving.swapAt(index, index + 1) }
            return arriving
        }
        var received = 0, sizes: [Int] = [], sinceAck = 0, finished = false
        var now: Nanoseconds = 0
        var actions = [session.handle(.started, at: now)]
        for _ in 0..<400_000 {
            var replies: [Packet] = []
            for action in actions {
                switch action {
                case .wait: continue
                case .sendOptions: replies += travelled([.acknowledgment(block: 0)])
                case .sendBlocks(let blocks):
                    for (number, _, length) in travelled(blocks.map { session.block($0) }) {
                        now += 1_000_000
                        if number == UInt16(truncatingIfNeeded: received + 1), !finished {
                            received += 1
                            sizes.append(length)
                            sinceAck += 1
                            finished = length < blockSize
                            if sinceAck == window || finished {
                                replies.append(.acknowledgment(block: number))
                                sinceAck = 0
                            }
                        } else {
                            // A gap or a repeat: the client says where it is (RFC 7440 §4).
                            replies.append(.acknowledgment(block: UInt16(truncatingIfNeeded: received)))
                            sinceAck = 0
                        }
                    }
                case .finish(let outcome): return (outcome, sizes, now)
                }
            }
            actions = []
            for reply in travelled(replies) { actions.append(session.handle(.received(reply), at: now)) }
            let isIdle = actions.allSatisfy { if case .wait = $0 { true } else { false } }
            if isIdle {
                now = max(now, session.deadline)
                actions = [session.handle(.timerFired, at: now)]
            }
        }
        return nil
    }

    @Test("the client gets the whole file, whatever its size", arguments: [0, 1, 511, 512, 513, 1024, 51200])
    func sizes(size: Int) throws {
        let (outcome, sizes, _) = try #require(Self.transfer(size: size, blockSize: 512, window: 1))
        #expect(outcome == .completed)
        #expect(sizes.reduce(0, +) == size)
        #expect(sizes.count == size / 512 + 1)
    }

    @Test(
        "at 1 % and 10 % of loss, duplicates and reordering, with windows of 1, 4 and 16",
        arguments: [1, 4, 16], [0.01, 0.1])
    func hardships(window: Int, share: Double) throws {
        for seed in 1...20 {
            let (outcome, sizes, time) = try #require(
                Self.transfer(
                    size: 100_000, blockSize: 1024, window: window, loss: share, duplication: share, reordering: share,
                    seed: UInt64(seed)))
            // A last ACK that is lost leaves the server to time out; the client has all by then.
            #expect(outcome == .completed || outcome == .timedOut(block: 98) || sizes.count == 98)
            #expect(sizes.reduce(0, +) == 100_000)
            // 98 blocks, of which two in ten need a second try: with waits of a second each this would take twenty.
            if outcome == .completed { #expect(time < (share > 0.05 ? 15 : 3) * second, "seed \(seed): \(time)") }
        }
    }

    @Test("block numbers go from 65535 to 0")
    func rollover() throws {
        let (outcome, sizes, _) = try #require(Self.transfer(size: 8 * 70_000, blockSize: 8, window: 64))
        #expect(outcome == .completed)
        #expect(sizes.count == 70_001)
    }

    @Test("a duplicate ACK never triggers a resend (RFC 1123 §4.2.3.1)")
    func duplicate() {
        var session = ReadSession(fileSize: 5000, negotiation: Negotiation(ReadRequest(file: "f"), fileSize: 5000))
        _ = session.handle(.started, at: 0)
        #expect(Self.blocks(session.handle(.received(.acknowledgment(block: 1)), at: 0)) == 2...2)
        #expect(Self.blocks(session.handle(.received(.acknowledgment(block: 1)), at: 0)) == nil)
        #expect(Self.blocks(session.handle(.received(.acknowledgment(block: 9)), at: 0)) == nil)
    }

    @Test("a client that says twice where it is gets its window again, once (RFC 7440 §4)")
    func windowLost() {
        let request = ReadRequest(file: "f", options: [("windowsize", "4")])
        var session = ReadSession(fileSize: 50_000, negotiation: Negotiation(request, fileSize: 50_000))
        _ = session.handle(.started, at: 0)
        #expect(Self.blocks(session.handle(.received(.acknowledgment(block: 0)), at: 0)) == 1...4)
        #expect(Self.blocks(session.handle(.received(.acknowledgment(block: 0)), at: 0)) == 1...4)
        #expect(Self.blocks(session.handle(.received(.acknowledgment(block: 0)), at: 0)) == nil)
        #expect(Self.blocks(session.handle(.received(.acknowledgment(block: 2)), at: 0)) == 3...6)
    }

    @Test("an answer to what was sent twice says nothing of the round trip (Karn)")
    func ambiguous() {
        let request = ReadRequest(file: "f", options: [("windowsize", "4")])
        var session = ReadSession(fileSize: 50_000, negotiation: Negotiation(request, fileSize: 50_000))
        _ = session.handle(.started, at: 0)
        #expect(session.roundTrip == nil)
        // A tenth of a second, and half of that as its variation: three tenths.
        _ = session.handle(.acknowledged(0), at: second / 10)
        #expect(session.roundTrip == second / 10)
        // The window goes out again, and the answer to the first one is there a moment later.
        _ = session.handle(.acknowledged(0), at: second / 5)
        _ = session.handle(.acknowledged(4), at: second / 5 + 1)
        #expect(session.deadline == second / 5 + 1 + second * 3 / 10)
        #expect(session.roundTrip == second / 10)
    }

    static func blocks(_ action: ReadSession.Action) -> ClosedRange<Int>? {
        if case .sendBlocks(let blocks) = action { blocks } else { nil }
    }

    @Test("a probe for the size that ends with ERROR 8 is no failure (OVMF)")
    func probe() {
        let negotiation = Negotiation(ReadRequest(file: "f", options: [("tsize", "0")]), fileSize: 10)
        var session = ReadSession(fileSize: 10, negotiation: negotiation)
        _ = session.handle(.started, at: 0)
        let error = Packet.error(.optionsRefused, "User aborted the transfer")
        guard case .finish(let outcome) = session.handle(.received(error), at: 0) else {
            Issue.record("not finished")
            return
        }
        #expect(outcome == .probed)
    }

    @Test("a client that vanishes is given up after half a minute of waits, each longer than the one before")
    func silence() {
        var session = ReadSession(fileSize: 10, negotiation: Negotiation(ReadRequest(file: "f"), fileSize: 10))
        var now: Nanoseconds = 0
        var waits: [Nanoseconds] = []
        var action = session.handle(.started, at: now)
        for _ in 0..<50 {
            if case .finish(let outcome) = action {
                #expect(outcome == .timedOut(block: 1))
                #expect(waits == [1, 2, 4, 8, 8, 8].map { $0 * second })
                return
            }
            waits.append(session.deadline - now)
            now = session.deadline
            action = session.handle(.timerFired, at: now)
        }
        Issue.record("never given up")
    }

    @Test("waits follow the round trips that were seen, and never exceed what the client asked for")
    func adaptive() {
        var timing = RetransmissionTiming(initial: 3 * second, longest: 3 * second)
        #expect(timing.sent(at: 0) == 3 * second)
        timing.answered(at: second / 500)
        #expect(timing.sent(at: 0) == RetransmissionTiming.minimum)
        timing.backOff()
        #expect(timing.sent(at: 0) == RetransmissionTiming.minimum * 2)
        // The answer may be to either of the two: it says nothing of the round trip.
        timing.answered(at: 20 * second)
        #expect(timing.sent(at: 0) == RetransmissionTiming.minimum)
        timing.answered(at: 20 * second)
        #expect(timing.sent(at: 0) == 3 * second)
    }
}
