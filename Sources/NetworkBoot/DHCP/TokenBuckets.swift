import FoundationEssentials
import NetworkAddresses

/// Lets each machine say so much and no more: firmware that boots in a circle, or a broken client, costs little. Bounded; under a
/// flood of made-up MACs it forgets and begins anew.
struct TokenBuckets: Sendable {
    private struct Bucket {
        var tokens: Float
        var filled: Date
    }

    /// Packets a second in the long run; 0: no limit.
    let rate: Float
    /// Packets at once. A boot through PXE, iPXE and HTTP says about twenty in half a minute.
    let burst: Float
    private var buckets: [MACAddress: Bucket] = [:]

    static let capacity = 16_384

    init(rate: Float = 5, burst: Float = 40) { (self.rate, self.burst) = (rate, burst) }

    /// Whether one more packet of `mac` is to be heard.
    mutating func admit(_ mac: MACAddress, now: Date) -> Bool {
        guard rate > 0 else { return true }
        if buckets.count >= Self.capacity, buckets[mac] == nil { buckets.removeAll(keepingCapacity: true) }
        var bucket = buckets[mac] ?? Bucket(tokens: burst, filled: now)
        bucket.tokens = min(burst, bucket.tokens + rate * Float(max(0, now.timeIntervalSince(bucket.filled))))
        bucket.filled = now
        let admitted = bucket.tokens >= 1
        if admitted { bucket.tokens -= 1 }
        buckets[mac] = bucket
        return admitted
    }
}
