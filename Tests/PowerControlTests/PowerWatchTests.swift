import IPMI
import Machines
import Testing

@testable import PowerControl

/// A chassis' reports over time, and what is done about them.
@Suite struct PowerWatchTests {
    struct Row: Sendable {
        var name: String
        var action: PowerAction
        /// Milliseconds and what the chassis reports.
        var reports: [(Int, PowerState)]
        var steps: [PowerWatch.Step]
    }

    static let rows: [Row] = [
        Row(
            name: "on", action: .on, reports: [(0, .off), (500, .off), (900, .on)],
            steps: [.send(.powerUp), .look, .done]),
        Row(
            name: "on, and it was", action: .on, reports: [(0, .on), (500, .on), (1100, .on)],
            steps: [.look, .look, .done]),
        Row(
            name: "on while it shuts down", action: .on, reports: [(0, .on), (500, .off), (900, .on)],
            steps: [.look, .send(.powerUp), .done]),
        Row(
            name: "on, passed over the first time", action: .on,
            reports: [(0, .off), (500, .off), (4000, .off), (4500, .on)],
            steps: [.send(.powerUp), .look, .send(.powerUp), .done]),
        Row(
            name: "stuck", action: .off, reports: [(0, .on), (500, .on), (9000, .on), (12000, .on)],
            steps: [.send(.powerDown), .look, .send(.powerDown), .stuck(.on)]),
        Row(
            name: "cycle", action: .cycle, reports: [(0, .on), (500, .off), (900, .on)],
            steps: [.send(.powerCycle), .look, .done]),
        Row(
            name: "cycle of one that is off", action: .cycle, reports: [(0, .off), (500, .on)],
            steps: [.send(.powerUp), .done]),
        Row(
            name: "cycle that ends off", action: .cycle,
            reports: [(0, .on), (500, .off), (4000, .off), (6000, .off), (6500, .on)],
            steps: [.send(.powerCycle), .look, .look, .send(.powerUp), .done]),
        Row(
            name: "reset is sent once", action: .reset, reports: [(0, .on), (500, .on)],
            steps: [.send(.hardReset), .done]),
        Row(
            name: "no word", action: .on, reports: [(0, .unknown), (12000, .unknown)], steps: [.look, .stuck(.unknown)]),
    ]

    @Test(
        "what is refused for now is given again in the time that there is, and not beyond",
        arguments: PowerAction.allCases, [PowerState.on, .off, .unknown])
    func bounded(action: PowerAction, state: PowerState) {
        var watch = PowerWatch(action, settle: .seconds(10))
        var last = PowerWatch.Step.look
        for time in stride(from: 0, through: 10_000, by: 250) {
            last = watch.next(state, elapsed: .milliseconds(time))
            guard case .send(let control) = last else { continue }
            #expect(time < 10_000, "\(control) is given after the time is over")
            watch.didSend(control, at: .milliseconds(time), taken: false)
        }
        #expect(last == .done || last == .stuck(state))
    }

    @Test("the way to a power state", arguments: rows)
    func steps(row: Row) {
        var watch = PowerWatch(row.action, settle: .seconds(10))
        var steps: [PowerWatch.Step] = []
        for (time, state) in row.reports {
            let step = watch.next(state, elapsed: .milliseconds(time))
            steps.append(step)
            if case .send(let control) = step { watch.didSend(control, at: .milliseconds(time), taken: true) }
        }
        #expect(steps == row.steps, "\(row.name)")
    }

    @Test("a control that was refused goes out again")
    func refused() {
        var watch = PowerWatch(.reset, settle: .seconds(10))
        #expect(watch.next(.on, elapsed: .zero) == .send(.hardReset))
        watch.didSend(.hardReset, at: .zero, taken: false)
        #expect(watch.next(.on, elapsed: .seconds(1)) == .send(.hardReset))
        watch.didSend(.hardReset, at: .seconds(1), taken: true)
        #expect(watch.next(.on, elapsed: .seconds(2)) == .done)
    }
}
