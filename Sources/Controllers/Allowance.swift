import FoundationEssentials
import Synchronization

/// A token bucket for each of many callers: so much at once, and then one at a time. Soft state, bounded: of a flood of callers the ones unheard
/// for longest are forgotten, and begin anew.
final class Allowance: Sendable {
    private struct Bucket {
        var tokens: Double
        var filled: Date
    }

    private let burst: Double
    /// Seconds in which one more is earned.
    private let seconds: Double
    private let buckets: Mutex<RecentTable<String, Bucket>>

    init(burst: Int, oneEach seconds: Double, callers: Int = 16_384) {
        (self.burst, self.seconds) = (Double(burst), seconds)
        buckets = Mutex(RecentTable(generation: callers / 2))
    }

    /// Takes one.
    /// - Returns: nil when there was one; else the seconds until there is, at least 1.
    func take(_ caller: String, at now: Date) -> Int? {
        buckets.withLock { buckets in
            var bucket = bucket(buckets[caller], at: now)
            let wait = bucket.tokens >= 1 ? nil : max(1, Int(((1 - bucket.tokens) * seconds).rounded(.up)))
            if wait == nil { bucket.tokens -= 1 }
            buckets.put(bucket, for: caller)
            return wait
        }
    }

    /// Whether ``take(_:at:)`` would take one.
    func isThere(for caller: String, at now: Date) -> Bool {
        buckets.withLock { bucket($0[caller], at: now).tokens >= 1 }
    }

    private func bucket(_ former: Bucket?, at now: Date) -> Bucket {
        guard let former else { return Bucket(tokens: burst, filled: now) }
        let earned = max(0, now.timeIntervalSince(former.filled)) / seconds
        return Bucket(tokens: min(burst, former.tokens + earned), filled: now)
    }
}
