import APIModel
import Synchronization
import Testing

@testable import AgentCore

/// What the daemon hears of an order while it is carried out.
@Suite(.timeLimit(.minutes(1))) struct ProgressReporterTests {
    /// What was told, and what ends the work.
    private final class Daemon: Sendable {
        let heard = Mutex<[OrderProgress]>([])
        func reporter(silence: Duration) -> ProgressReporter {
            ProgressReporter(order: "o", silence: silence) { progress in self.heard.withLock { $0.append(progress) } }
        }
        func hears(_ count: Int) async throws {
            while heard.withLock({ $0.count }) < count { try await Task.sleep(for: .milliseconds(5)) }
        }
    }

    @Test("a drive that says nothing for hours is told of all the same, in the last words there were")
    func silence() async throws {
        let daemon = Daemon()
        let reporter = daemon.reporter(silence: .milliseconds(10))
        let done = try await reporter.during {
            try await daemon.hears(2)
            reporter.note(OrderProgress(step: .erasing))
            let before = daemon.heard.withLock { $0.count }
            try await daemon.hears(before + 4)
            return "done"
        }
        let steps = daemon.heard.withLock { $0.map(\.step) }
        #expect(done == "done" && steps.first == .accepted)
        #expect(steps.suffix(2) == [.erasing, .erasing], "\(steps)")
    }

    @Test("what fails is thrown, and nothing is told of it any more")
    func failure() async throws {
        struct Broken: Error {}
        let daemon = Daemon()
        let reporter = daemon.reporter(silence: .milliseconds(10))
        await #expect(throws: Broken.self) { try await reporter.during { throw Broken() } }
        let count = daemon.heard.withLock { $0.count }
        reporter.note(OrderProgress(step: .erasing))
        #expect(daemon.heard.withLock { $0.count } == count)
    }
}
