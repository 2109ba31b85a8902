/// How many commands one BMC gets: a token bucket. Some BMCs freeze when they are asked too often.
struct CommandBudget {
    /// Commands that may come at once after a quiet time.
    static let burst = 10.0
    /// Commands a second in the long run.
    static let rate = 1.0

    private var tokens = CommandBudget.burst
    private var updatedAt: ContinuousClock.Instant

    init(now: ContinuousClock.Instant) { updatedAt = now }

    /// Takes one command out, and says how long to wait before it.
    mutating func take(now: ContinuousClock.Instant) -> Duration {
        let passed = (now - updatedAt) / .seconds(1)
        tokens = min(Self.burst, tokens + max(0, passed) * Self.rate) - 1
        updatedAt = now
        return tokens >= 0 ? .zero : .seconds(-tokens / Self.rate)
    }

    /// As good as new: nothing is lost by forgetting it.
    func isFull(now: ContinuousClock.Instant) -> Bool {
        tokens + (now - updatedAt) / .seconds(1) * Self.rate >= Self.burst
    }
}
