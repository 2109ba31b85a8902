import CoreMetrics
import Synchronization

final class CounterMetric: CounterHandler, FloatingPointCounterHandler, Metric {
    private let count = Atomic<Int64>(0)

    var type: MetricType { .counter }

    func increment(by amount: Int64) { count.wrappingAdd(amount, ordering: .relaxed) }
    func increment(by amount: Double) { increment(by: Int64(amount)) }
    func reset() { count.store(0, ordering: .relaxed) }

    func lines(_ name: String, _ labels: [String]) -> [String] {
        [line(name, labels, "\(count.load(ordering: .relaxed))")]
    }
}

final class GaugeMetric: RecorderHandler, MeterHandler, Metric {
    private let value = Mutex(0.0)

    var type: MetricType { .gauge }

    func record(_ value: Int64) { set(Double(value)) }
    func record(_ value: Double) { set(value) }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { self.value.withLock { $0 = value } }
    func increment(by amount: Double) { value.withLock { $0 += amount } }
    func decrement(by amount: Double) { value.withLock { $0 -= amount } }

    func lines(_ name: String, _ labels: [String]) -> [String] { [line(name, labels, "\(value.withLock { $0 })")] }
}

/// Durations, in buckets from a millisecond to ten minutes: a DHCP answer and an installation both find theirs.
final class HistogramMetric: RecorderHandler, TimerHandler, Metric {
    private struct State {
        var counts = [Int64](repeating: 0, count: HistogramMetric.bounds.count)
        var count: Int64 = 0
        var sum = 0.0
    }

    /// Upper bounds in seconds; what is longer is in `+Inf` only.
    static let bounds = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60, 180, 600]

    private let state = Mutex(State())

    var type: MetricType { .histogram }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        state.withLock { state in
            state.count += 1
            state.sum += value
            if let index = Self.bounds.firstIndex(where: { value <= $0 }) { state.counts[index] += 1 }
        }
    }

    func lines(_ name: String, _ labels: [String]) -> [String] {
        let state = state.withLock { $0 }
        var below: Int64 = 0
        let buckets = zip(Self.bounds, state.counts).map { bound, count in
            below += count
            return line(name + "_bucket", labels + ["le=\"\(bound)\""], "\(below)")
        }
        return buckets + [
            line(name + "_bucket", labels + ["le=\"+Inf\""], "\(state.count)"),
            line(name + "_sum", labels, "\(state.sum)"), line(name + "_count", labels, "\(state.count)"),
        ]
    }
}
