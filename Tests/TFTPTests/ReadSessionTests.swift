import TFTP
import TestSupport
import Testing

@Suite struct ReadSessionTests {
    /// Runs a transfer against a client that loses packets by the generator's dice. Returns what the client put together.
    static func transfer(size: Int, blockSize: Int, window: Int, loss: Double, seed: UInt64) -> (
        ReadSession.Outcome, [Int]
    )? {
        var generator = SeededGenerator(seed: seed)
        var options: [(name: String, value: String)] = [("blksize", "\(blockSize)")]
        if window > 1 { options.append(("windowsize", "\(window)")) }
        let negotiation = Negotiation(ReadRequest(file: "f", options: options), fileSize: size)
        var session = ReadSession(fileSize: size, negotiation: negotiation)
        func lost() -> Bool { Double.random(in: 0..<1, using: &generator) < loss }
        var received = 0, sizes: [Int] = [], sinceAck = 0, finished = false
        var actions = session.handle(.started)
        for _ in 0..<200_000 {
            var replies: [Packet] = []
            for action in actions {
                switch action {
                case .sendOptions: if !lost() { replies.append(.acknowledgment(block: 0)) }
                case .sendBlock(let block, _, let length):
                    guard !lost() else { continue }
                    if block == UInt16(truncatingIfNeeded: received + 1) {
                        received += 1
                        sizes.append(length)
                        sinceAck += 1
                        finished = length < blockSize
                        if sinceAck == window || finished {
                            replies.append(.acknowledgment(block: block))
                            sinceAck = 0
                        }
                    } else {
                        // A gap or a repeat: the client says where it is (RFC 7440 §4).
                        replies.append(.acknowledgment(block: UInt16(truncatingIfNeeded: received)))
                        sinceAck = 0
                    }
                case .finish(let outcome): return (outcome, sizes)
                case .armTimer, .sendError: continue
                }
            }
            actions = []
            for reply in replies where !lost() { actions += session.handle(.received(reply)) }
            if actions.isEmpty { actions = session.handle(.timerFired) }
        }
        return nil
    }

    @Test("the client gets the whole file, whatever its size", arguments: [0, 1, 511, 512, 513, 1024, 51200])
    func sizes(size: Int) throws {
        let (outcome, sizes) = try #require(Self.transfer(size: size, blockSize: 512, window: 1, loss: 0, seed: 1))
        #expect(outcome == .completed)
        #expect(sizes.reduce(0, +) == size)
        #expect(sizes.count == size / 512 + 1)
    }

    @Test("at 10 % loss, with windows of 1, 4 and 16", arguments: [1, 4, 16])
    func loss(window: Int) throws {
        for seed in 1...20 {
            let (outcome, sizes) = try #require(
                Self.transfer(size: 100_000, blockSize: 1024, window: window, loss: 0.1, seed: UInt64(seed)))
            // A last ACK that is lost leaves the server to time out; the client has all by then.
            #expect(outcome == .completed || outcome == .timedOut(block: 98) || sizes.count == 98)
            #expect(sizes.reduce(0, +) == 100_000)
        }
    }

    @Test("block numbers go from 65535 to 0")
    func rollover() throws {
        let (outcome, sizes) = try #require(Self.transfer(size: 8 * 70_000, blockSize: 8, window: 64, loss: 0, seed: 1))
        #expect(outcome == .completed)
        #expect(sizes.count == 70_001)
    }

    @Test("a duplicate ACK never triggers a resend (RFC 1123 §4.2.3.1)")
    func duplicate() {
        var session = ReadSession(fileSize: 5000, negotiation: Negotiation(ReadRequest(file: "f"), fileSize: 5000))
        _ = session.handle(.started)
        #expect(!session.handle(.received(.acknowledgment(block: 1))).isEmpty)
        #expect(session.handle(.received(.acknowledgment(block: 1))).isEmpty)
        #expect(session.handle(.received(.acknowledgment(block: 9))).isEmpty)
    }

    @Test("a probe for the size that ends with ERROR 8 is no failure (OVMF)")
    func probe() {
        let negotiation = Negotiation(ReadRequest(file: "f", options: [("tsize", "0")]), fileSize: 10)
        var session = ReadSession(fileSize: 10, negotiation: negotiation)
        _ = session.handle(.started)
        guard
            case .finish(let outcome)? = session.handle(.received(.error(.optionsRefused, "User aborted the transfer")))
                .last
        else {
            Issue.record("not finished")
            return
        }
        #expect(outcome == .probed)
    }

    @Test("a client that vanishes is given up after some waits, each longer than the one before")
    func silence() {
        var session = ReadSession(fileSize: 10, negotiation: Negotiation(ReadRequest(file: "f"), fileSize: 10))
        var waits: [Duration] = []
        var actions = session.handle(.started)
        var outcome: ReadSession.Outcome?
        while outcome == nil, waits.count < 50 {
            for action in actions {
                if case .armTimer(let wait) = action { waits.append(wait) }
                if case .finish(let end) = action { outcome = end }
            }
            actions = session.handle(.timerFired)
        }
        #expect(outcome == .timedOut(block: 1))
        #expect(waits == [1, 2, 4, 8, 8, 8, 8].map { Duration.seconds($0) })
    }
}
