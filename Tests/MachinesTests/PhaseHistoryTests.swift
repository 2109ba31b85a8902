import Foundation
import Machines
import Testing

@Suite struct PhaseHistoryTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)

    private func machine(_ phase: Phase, at seconds: Double = 0, profile: String? = "rack") -> Machine {
        var machine = Machine(
            id: "m", name: "m", observed: .init(phase: phase, phaseSince: Self.start.addingTimeInterval(seconds)),
            createdAt: Self.start)
        machine.observed.profile = profile
        return machine
    }

    /// A machine that stays `stays` seconds in each of these phases and is then in `end`.
    private func history(_ stays: [(Phase, Double)], end: Phase, profile: String? = "rack") -> PhaseHistory {
        var (time, history) = (0.0, PhaseHistory(machine(stays[0].0)))
        let phases = stays.map(\.0) + [end]
        for (index, stay) in stays.enumerated() {
            var machine = machine(stay.0, at: time, profile: profile)
            machine.observed.operation = "o-\(index)"
            time += stay.1
            history.note(
                machine, enters: phases[index + 1], reason: "step \(index)", at: Self.start.addingTimeInterval(time))
        }
        return history
    }

    @Test("each stay has its end, its reason and its operation; the last one goes on")
    func records() {
        let records = history([(.discovered, 10), (.available, 5), (.installing, 60)], end: .joining).records
        #expect(records.map(\.phase) == [.discovered, .available, .installing, .joining])
        #expect(records.map(\.seconds) == [10, 5, 60, nil])
        #expect(records.map(\.reason) == ["seen on the network", "step 0", "step 1", "step 2"])
        #expect(records.map(\.next) == [.available, .installing, .joining, nil])
        #expect(records.map(\.operation) == [nil, "o-0", "o-1", "o-2"])
    }

    @Test("the newest are kept")
    func bound() {
        let records = history(Array(repeating: (.ready, 1), count: 500), end: .wiping).records
        #expect(records.count == PhaseHistory.capacity)
        #expect(records.last?.phase == .wiping && records.first?.reason == "step 300")
    }

    @Test(
        "percentiles",
        arguments: [
            (50.0, [1.0, 2, 3, 4], 2.5), (50, [3, 1, 2], 2), (95, [5], 5), (0, [2, 1], 1), (100, [2, 1], 2),
            (95, Array(stride(from: 0.0, through: 100, by: 1)), 95), (200, [1, 2], 2), (-1, [1, 2], 1),
        ])
    func percentiles(percent: Double, values: [Double], expected: Double) {
        #expect(PhaseReport.percentile(percent, of: values) == expected)
    }

    @Test("a report by phase and profile; what failed is counted, and is no time")
    func report() {
        let histories = [
            history([(.available, 1), (.installing, 60)], end: .joining),
            history([(.available, 3), (.installing, 100)], end: .joining),
            history([(.available, 5), (.installing, 3600)], end: .failed),
            history([(.installing, 30)], end: .joining, profile: "blade"),
        ]
        #expect(PhaseReport.percentile(50, of: []) == nil)
        let rows = PhaseReport.rows(histories)
        #expect(
            rows == [
                .init(phase: .available, profile: "rack", count: 3, failed: 0, median: 3, p95: 4.8),
                .init(phase: .installing, profile: "blade", count: 1, failed: 0, median: 30, p95: 30),
                .init(phase: .installing, profile: "rack", count: 3, failed: 1, median: 80, p95: 98),
            ])
        #expect(PhaseReport.rows(histories, profile: "blade").map(\.phase) == [.installing])
        // Ended then or later: of the last second only the long one.
        let late = PhaseReport.rows(histories, since: Self.start.addingTimeInterval(3000))
        #expect(late.map(\.count) == [1] && late.first?.median == nil)
    }
}
