import FoundationEssentials

/// Lets each machine, by MAC or address, say so much and no more: firmware that boots in a circle, or a broken client, costs little. Bounded; under a
/// flood of made-up MACs it forgets and begins anew.
struct TokenBuckets<Key: Hashable & Sendable>: Sendable {
    private struct Bucket {
        var tokens: Float
        var filled: Date
    }

    /// Packets a second in the long run; 0: no limit.
    let rate: Float
    /// Packets at once. A boot through PXE, iPXE and HTTP says about twenty in half a minute.
    let burst: Float
    private var buckets: [Key: Bucket] = [:]

    static var capacity: Int { 16_384 }

    init(rate: Float = 5, burst: Float = 40) { (self.rate, self.burst) = (rate, burst) }

    /// Whether one more packet of `key` is to be heard.
    mutating func admit(_ key: Key, now: Date) -> Bool {
        guard rate > 0 else { return true }
        if buckets.count >= Self.capacity, buckets[key] == nil { buckets.removeAll(keepingCapacity: true) }
        var bucket = buckets[key] ?? Bucket(tokens: burst, filled: now)
        bucket.tokens = min(burst, bucket.tokens + rate * Float(max(0, now.timeIntervalSince(bucket.filled))))
        bucket.filled = now
        let admitted = bucket.tokens >= 1
        if admitted { bucket.tokens -= 1 }
        buckets[key] = bucket
        return admitted
    }
}
