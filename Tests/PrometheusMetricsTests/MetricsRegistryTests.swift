import CoreMetrics
import Testing

@testable import PrometheusMetrics

@Suite struct MetricsRegistryTests {
    @Test("counters, gauges and durations are written as Prometheus reads them")
    func page() {
        let registry = MetricsRegistry()
        let counter = registry.makeCounter(label: "tftp.transfers", dimensions: [("outcome", "a\"b\\\n")])
        counter.increment(by: 2)
        registry.makeCounter(label: "tftp.transfers", dimensions: [("outcome", "a\"b\\\n")]).increment(by: 1)
        registry.makeMeter(label: "boot.traces", dimensions: []).set(7.0)
        let timer = registry.makeTimer(label: "tftp.transfer", dimensions: [])
        for milliseconds in [2, 200, 2_000_000] as [Int64] { timer.recordNanoseconds(milliseconds * 1_000_000) }
        let lines = registry.text.split(separator: "\n").map(String.init)
        for line in [
            "# TYPE slipway_tftp_transfers_total counter", #"slipway_tftp_transfers_total{outcome="a\"b\\\n"} 3"#,
            "# TYPE slipway_boot_traces gauge", "slipway_boot_traces 7.0",
            "# TYPE slipway_tftp_transfer_seconds histogram",
            #"slipway_tftp_transfer_seconds_bucket{le="0.001"} 0"#,
            #"slipway_tftp_transfer_seconds_bucket{le="0.003"} 1"#,
            #"slipway_tftp_transfer_seconds_bucket{le="600.0"} 2"#,
            #"slipway_tftp_transfer_seconds_bucket{le="+Inf"} 3"#, "slipway_tftp_transfer_seconds_count 3",
        ] { #expect(lines.contains(line), "\(line)\n\(registry.text)") }
    }

    @Test("labels that somebody invents take no more than a fixed amount of memory")
    func bounded() {
        let registry = MetricsRegistry()
        for number in 0..<5000 { registry.makeCounter(label: "x", dimensions: [("n", "\(number)")]).increment(by: 1) }
        let lines = registry.text.split(separator: "\n")
        #expect(lines.count == MetricsRegistry.capacity + 3)
        #expect(lines.last == "slipway_metrics_dropped_total 4000")
    }
}
