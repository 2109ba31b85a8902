import CoreMetrics
import Synchronization

/// Keeps what swift-metrics is told, and writes it as Prometheus reads it (text format 0.0.4). Bounded: series beyond
/// ``capacity`` are counted and otherwise passed over, so that no label can take the daemon's memory.
public final class MetricsRegistry: MetricsFactory {
    struct Series: Hashable {
        var name: String
        var labels: [String]

        /// `dhcp.packets` is `slipway_dhcp_packets`; labels are in the order of their names.
        init(_ label: String, _ dimensions: [(String, String)]) {
            name = "slipway_" + label.map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
            labels = dimensions.sorted { $0.0 < $1.0 }.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }
        }

        private static func escaped(_ value: String) -> String {
            value.prefix(100).map { character in
                switch character {
                case "\\": "\\\\"
                case "\"": "\\\""
                case "\n": "\\n"
                default: String(character)
                }
            }.joined()
        }
    }

    /// Series kept at most.
    public static let capacity = 1000

    private let series = Mutex<[Series: any Metric]>([:])
    private let overflow = CounterMetric()

    public init() {}

    /// Everything, in the order of names.
    public var text: String {
        let all = series.withLock { $0 }
        var lines: [String] = []
        for (name, members) in Dictionary(grouping: all, by: \.key.name).sorted(by: { $0.key < $1.key }) {
            guard let type = members.first?.value.type else { continue }
            // One name has one type; Prometheus refuses a page on which it has two.
            lines.append("# TYPE \(type.exposedName(name)) \(type.rawValue)")
            for (key, metric) in members.sorted(by: { $0.key.labels.lexicographicallyPrecedes($1.key.labels) })
            where metric.type == type {
                lines += metric.lines(type.exposedName(name), key.labels)
            }
        }
        lines.append("# TYPE slipway_metrics_dropped_total counter")
        lines += overflow.lines("slipway_metrics_dropped_total", [])
        return lines.joined(separator: "\n") + "\n"
    }

    private func metric<Found: Metric>(_ label: String, _ dimensions: [(String, String)], _ make: () -> Found) -> Found
    {
        series.withLock { series in
            let key = Series(label, dimensions)
            if let known = series[key] as? Found { return known }
            let made = make()
            guard series.count < Self.capacity, series[key] == nil else {
                overflow.increment(by: Int64(1))
                return made
            }
            series[key] = made
            return made
        }
    }

    // MARK: MetricsFactory

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        metric(label, dimensions) { CounterMetric() }
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate
            ? metric(label, dimensions) { HistogramMetric() } as any RecorderHandler
            : metric(label, dimensions) { GaugeMetric() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        metric(label, dimensions) { GaugeMetric() }
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        metric(label, dimensions) { HistogramMetric() }
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        metric(label, dimensions) { CounterMetric() }
    }

    // A scrape may come after the last use of a handler: what was counted stays.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}
}

/// What a page calls a metric.
enum MetricType: String {
    case counter, gauge, histogram

    func exposedName(_ name: String) -> String {
        switch self {
        case .counter: name + "_total"
        case .gauge: name
        case .histogram: name + "_seconds"
        }
    }
}

protocol Metric: AnyObject, Sendable {
    var type: MetricType { get }
    func lines(_ name: String, _ labels: [String]) -> [String]
}

extension Metric {
    func line(_ name: String, _ labels: [String], _ value: String) -> String {
        labels.isEmpty ? "\(name) \(value)" : "\(name){\(labels.joined(separator: ","))} \(value)"
    }
}
