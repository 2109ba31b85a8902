import Synchronization

/// Gives each BMC one command at a time, and not more of them than it can bear.
final class Pacer: Sendable {
    private let turns = Turns()
    private let budgets = Mutex<[String: CommandBudget]>([:])
    /// Budgets that are full are forgotten when there are more than this.
    private static let most = 4096

    func pace<Result: Sendable>(
        _ name: String, isSlow: Bool, isUrgent: Bool, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        try await turns.take(name, isUrgent: isUrgent) {
            let wait = take(name, isSlow)
            if wait > .zero { try await Task.sleep(for: wait) }
            return try await body()
        }
    }

    private func take(_ name: String, _ isSlow: Bool) -> Duration {
        let now = ContinuousClock.now
        return budgets.withLock { budgets in
            if budgets.count > Self.most { budgets = budgets.filter { !$0.value.isFull(now: now) } }
            return budgets[name, default: CommandBudget(isSlow: isSlow, now: now)].take(
                isSlow: isSlow, now: now)
        }
    }
}
