import FoundationEssentials
import Machines
import TestSupport
import Testing

@testable import Controllers

/// When BMCs are looked at. Time is a number here.
@Suite struct PollBoardTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)

    private static func endpoint(_ number: Int) -> Machine.BMCEndpoint {
        .init(address: "10.0.\(number / 250).\(number % 250)", kind: .ipmi, username: "u", passwordSecret: "s")
    }

    private static func at(_ seconds: Double) -> Date { start.addingTimeInterval(seconds) }

    @Test(
        "one that answers is looked at about once a minute; one that does not, ever less often; one that refuses the user, hardly"
    )
    func intervals() {
        for (outcome, rests) in [
            (PollBoard.Outcome.answered, [60.0, 60, 60]), (.failed, [30, 60, 120, 240, 480, 600, 600]),
            (.refused, [3600, 3600]),
        ] {
            var board = PollBoard()
            board.note(Self.endpoint(1), of: "m", now: Self.start, jitter: 0)
            var now = Self.start
            for rest in rests {
                #expect(board.start(now: now) == ["m"])
                #expect(board.start(now: now) == [], "it is asked once at a time")
                board.finish("m", outcome, now: now, jitter: 0.5)
                #expect(board.due("m") == now.addingTimeInterval(rest))
                now = now.addingTimeInterval(rest)
            }
        }
    }

    @Test("ten thousand are looked at fifty a second")
    func many() {
        var board = PollBoard()
        for number in 0..<10_000 { board.note(Self.endpoint(number), of: "m-\(number)", now: Self.start, jitter: 0) }
        #expect(board.start(now: Self.start).contains("m-1"))
        board.finish("m-1", .answered, now: Self.start, jitter: 0.5)
        #expect(board.due("m-1") == Self.at(200))
    }

    @Test("a BMC that is named anew is looked at at once, though it was being asked under its former name")
    func renamed() {
        var board = PollBoard()
        board.note(Self.endpoint(1), of: "m", now: Self.start, jitter: 0)
        #expect(board.start(now: Self.start) == ["m"])
        board.note(Self.endpoint(2), of: "m", now: Self.at(1), jitter: 0)
        #expect(board.start(now: Self.at(1)) == [], "not two at a time")
        board.finish("m", .refused, now: Self.at(2), jitter: 0.5)
        #expect(board.start(now: Self.at(2)) == ["m"])
        board.note(nil, of: "m", now: Self.at(3), jitter: 0)
        board.finish("m", .answered, now: Self.at(4), jitter: 0.5)
        #expect(board.due("m") == nil)
    }

    @Test("machines without a BMC are not looked at", arguments: [BMCKind.none, .wakeOnLAN])
    func none(kind: BMCKind) {
        var board = PollBoard()
        board.note(.init(address: "", kind: kind), of: "m", now: Self.start, jitter: 0)
        #expect(board.start(now: Self.at(1000)) == [])
    }

    /// The longest time in which a healthy BMC was not looked at, over an hour, and the most that were asked at once.
    private static func simulate(dead: Int, of count: Int) -> (longest: Double, most: Int) {
        var random = SeededGenerator(seed: 7)
        var board = PollBoard()
        for number in 0..<count {
            board.note(endpoint(number), of: "m\(number)", now: start, jitter: Double.random(in: 0...1, using: &random))
        }
        var running: [(id: String, until: Double)] = []
        var seen: [String: Double] = [:]
        var (longest, most) = (0.0, 0)
        for second in stride(from: 0.0, to: 1200, by: 1) {
            for look in running where look.until <= second {
                let isDead = (Int(look.id.dropFirst()) ?? 0) < dead
                board.finish(
                    look.id, isDead ? .failed : .answered, now: at(second),
                    jitter: Double.random(in: 0...1, using: &random))
            }
            running.removeAll { $0.until <= second }
            for id in board.start(now: at(second)) {
                let isDead = (Int(id.dropFirst()) ?? 0) < dead
                // A dead one costs all the waits of a session's opening.
                running.append((id, second + (isDead ? 11 : 0.3)))
                if !isDead {
                    longest = max(longest, second - (seen[id] ?? 0))
                    seen[id] = second
                }
            }
            most = max(most, running.count)
        }
        return (longest, most)
    }

    @Test("dead BMCs, however many, do not keep the others waiting", arguments: [0, 100, 500, 900])
    func dead(count: Int) {
        let (longest, most) = Self.simulate(dead: count, of: 1000)
        // 60 s and a fifth of jitter, a look's time, and a second of the clock's grain.
        #expect(longest <= 60 * 1.2 + 3, "\(count) dead: \(longest) s")
        #expect(most <= PollBoard.most)
    }
}
