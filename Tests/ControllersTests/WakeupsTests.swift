import Foundation
import Synchronization
import Testing

@testable import Controllers

/// When a machine is looked at again.
@Suite(.timeLimit(.minutes(1))) struct WakeupsTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)

    /// It calls at 0 and at 10 seconds, and never again.
    private final class Agent: Sendable {
        let asked = Mutex(0)

        func ask() -> Date {
            let count = asked.withLock { asked in
                asked += 1
                return asked
            }
            return start + (count == 1 ? 10 : 20)
        }
    }

    /// How many wake-ups there are, of those that are not consumed yet, after ticks at these seconds: none or one.
    private static func woken(
        due: Double?, silence: Wakeups.Silence? = nil, ticks: [Double]
    ) async -> Int {
        let wakeups = Wakeups()
        let stream = wakeups.stream(for: "m")
        for await _ in stream { break }
        wakeups.wake("m", at: due.map { start + $0 }, whenSilent: silence)
        for second in ticks { wakeups.tick(start + second) }
        wakeups.end("m")
        return await stream.reduce(0) { count, _ in count + 1 }
    }

    @Test("at its time, once")
    func due() async {
        #expect(await Self.woken(due: 10, ticks: [1, 9]) == 0)
        #expect(await Self.woken(due: 10, ticks: [1, 10]) == 1)
        #expect(await Self.woken(due: nil, ticks: [1, 10]) == 0)
        let wakeups = Wakeups()
        var news = wakeups.stream(for: "m").makeAsyncIterator()
        _ = await news.next()
        wakeups.wake("m", at: Self.start)
        wakeups.tick(Self.start)
        _ = await news.next()
        wakeups.tick(Self.start + 1)
        wakeups.end("m")
        #expect(await news.next() == nil)
    }

    @Test("an agent that calls is asked after again, and nothing is looked at; one that fell silent wakes")
    func silence() async {
        for (ticks, count, asked) in [
            ([9.0], 0, 1), ([9, 10], 0, 2), ([9, 10, 15, 19], 0, 2), ([10, 20], 1, 3), ([40], 1, 2),
        ] {
            let agent = Agent()
            let silence: Wakeups.Silence = { agent.ask() }
            #expect(await Self.woken(due: nil, silence: silence, ticks: ticks) == count)
            #expect(agent.asked.withLock { $0 } == asked)
        }
        // What was due comes all the same.
        #expect(await Self.woken(due: 5, silence: { Self.start + 100 }, ticks: [5]) == 1)
    }
}
