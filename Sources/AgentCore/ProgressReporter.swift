import APIModel
import Synchronization

/// Sends the newest progress at most twice a second, while something else works. A drive may erase itself for hours and say nothing: the last word is
/// repeated then, since an agent that does not call counts as gone, and its machine is restarted.
final class ProgressReporter: Sendable {
    /// Seconds between two words of the same: a third of what the daemon waits for, and more.
    private static let silence: Duration = .seconds(20)

    private let newest = Mutex<OrderProgress?>(nil)
    private let step = Mutex<OrderProgress.Step?>(nil)
    private let order: String
    private let silence: Duration
    private let tell: @Sendable (OrderProgress) async -> Void

    convenience init(session: AgentSessionClient, order: String) {
        self.init(order: order, silence: Self.silence) { await session.tell($0, order: order) }
    }

    init(order: String, silence: Duration, tell: @escaping @Sendable (OrderProgress) async -> Void) {
        (self.order, self.silence, self.tell) = (order, silence, tell)
    }

    /// The console gets each step once; the daemon gets the numbers as well.
    func note(_ progress: OrderProgress) {
        newest.withLock { $0 = progress }
        let isNew = step.withLock { step in
            defer { step = progress.step }
            return step != progress.step
        }
        if isNew { Console.say("order \(order): \(progress.step.words)") }
    }

    func during<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask { try await work() }
            group.addTask {
                var last = OrderProgress(step: .accepted)
                var toldAt = ContinuousClock.now
                while !Task.isCancelled {
                    let next = self.newest.withLock { newest in
                        defer { newest = nil }
                        return newest
                    }
                    if next != nil || ContinuousClock.now - toldAt >= self.silence {
                        last = next ?? last
                        await self.tell(last)
                        toldAt = ContinuousClock.now
                    }
                    try await Task.sleep(for: min(self.silence, .milliseconds(500)))
                }
                return nil
            }
            defer { group.cancelAll() }
            while let finished = try await group.next() {
                if let finished { return finished }
            }
            throw CancellationError()
        }
    }
}
