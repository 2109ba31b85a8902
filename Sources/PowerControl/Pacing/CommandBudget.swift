/// How many commands one BMC gets: a token bucket. Some BMCs freeze when they are asked too often.
struct CommandBudget {
    /// Commands that may come at once after a quiet time.
    private var burst: Double
    /// Commands a second in the long run.
    private var rate: Double
    private var tokens: Double
    private var updatedAt: ContinuousClock.Instant

    /// - Parameter isSlow: one that is known to hang: a command every five seconds (the least of OpenStack Ironic's
    ///   `ipmi.min_command_interval`).
    init(isSlow: Bool, now: ContinuousClock.Instant) {
        (burst, rate) = Self.limits(isSlow: isSlow)
        (tokens, updatedAt) = (burst, now)
    }

    private static func limits(isSlow: Bool) -> (Double, Double) { isSlow ? (1, 0.2) : (10, 1) }

    /// Takes one command out, and says how long to wait before it.
    /// - Parameter isSlow: as it is known now; often it is found out after the first commands.
    mutating func take(isSlow: Bool, now: ContinuousClock.Instant) -> Duration {
        (burst, rate) = Self.limits(isSlow: isSlow)
        let passed = (now - updatedAt) / .seconds(1)
        tokens = min(burst, tokens + max(0, passed) * rate) - 1
        updatedAt = now
        return tokens >= 0 ? .zero : .seconds(-tokens / rate)
    }

    /// As good as new: nothing is lost by forgetting it.
    func isFull(now: ContinuousClock.Instant) -> Bool {
        tokens + (now - updatedAt) / .seconds(1) * rate >= burst
    }
}
