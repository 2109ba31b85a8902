import BMCSimulator
import NIOCore
import Synchronization

/// A machine's BMC on UDP port 623 of an address of its own. What it does to the chassis it does to the machine.
final class FleetBMC: Sendable {
    static let username = "fleet"
    static let password = "not-a-default"

    private struct State {
        var bmc: SimulatedBMC
        /// So many commands of power are taken and not carried out.
        var ignores = 0
    }

    private let state: Mutex<State>
    private let chassis: Chassis
    private let machine: Int
    private let luck: Luck
    private let began = ContinuousClock.now

    init(machine: Int, chassis: Chassis, _ luck: Luck, _ odds: Odds) {
        (self.machine, self.chassis, self.luck) = (machine, chassis, luck)
        var bmc = SimulatedBMC(username: Self.username, password: Self.password, seed: luck.next())
        bmc.quirks.drops = Int(odds.lostBMCPacket * 100)
        var state = State(bmc: bmc)
        if luck.falls(odds.badBMC) {
            let habits = odds.lies ? Habit.allCases : Habit.patient
            let habit = habits[Int(luck.next() % UInt64(habits.count))]
            switch habit {
            case .ignoresSome: state.ignores = 1 + Int(luck.next() % 2)
            case .timesOut: state.bmc.quirks.timesOutInControl = true
            case .losesAnswers: state.bmc.quirks.drops = 30
            case .late: (state.bmc.quirks.late, state.bmc.quirks.lateness) = (30, 1.5)
            case .lags: state.bmc.quirks.powerLag = 3
            case .busy: state.bmc.quirks.busy = 20
            }
            Report.say(.dice, machine, "bmc-\(habit)")
        }
        state.bmc.quirks.ignoresControl = state.ignores > 0
        self.state = Mutex(state)
    }

    private enum Habit: CaseIterable {
        case ignoresSome, timesOut, losesAnswers, late, lags, busy

        /// Those after which the daemon knows what became of a power command, or the machine shows it soon.
        static let patient: [Habit] = [.timesOut, .late, .lags, .busy]
    }

    /// Its socket, which is open as long as the process is.
    func open(at address: String) async throws {
        _ = try await Datagrams.bind(address, port: 623) { datagram, channel in
            for (answer, delay) in self.receive(datagram.bytes) {
                let envelope = AddressedEnvelope(remoteAddress: datagram.from, data: ByteBuffer(bytes: answer))
                guard delay > 0 else {
                    channel.writeAndFlush(envelope, promise: nil)
                    continue
                }
                channel.eventLoop.scheduleTask(in: .milliseconds(Int64(delay * 1000))) {
                    channel.writeAndFlush(envelope, promise: nil)
                }
            }
        }
    }

    /// The machine was turned on or off by itself.
    func note(isOn: Bool) { state.withLock { $0.bmc.isOn = isOn } }

    private func receive(_ datagram: [UInt8]) -> [(bytes: [UInt8], delay: Double)] {
        let (answers, controls) = state.withLock { state -> ([(bytes: [UInt8], delay: Double)], [Substring]) in
            let quirks = state.bmc.quirks
            if luck.falls(Double(quirks.drops) / 100) { return ([], []) }
            state.bmc.now = (ContinuousClock.now - began) / .seconds(1)
            let known = state.bmc.log.count
            let isIgnored = quirks.ignoresControl
            var answers: [(bytes: [UInt8], delay: Double)] = []
            for answer in state.bmc.receive(datagram) where !luck.falls(Double(quirks.drops) / 100) {
                answers.append((answer, luck.falls(Double(quirks.late) / 100) ? quirks.lateness : 0))
            }
            let controls = state.bmc.log.dropFirst(known).filter { $0.hasPrefix("control ") }.map { $0.dropFirst(8) }
            guard isIgnored else { return (answers, controls) }
            state.ignores -= controls.count
            state.bmc.quirks.ignoresControl = state.ignores > 0
            return (answers, [])
        }
        for control in controls {
            Report.say(.power, machine, String(control))
            // Table 28-4: power down, up, cycle, hard reset, diagnostic interrupt, soft shutdown.
            switch control {
            case "0", "5": chassis.off()
            case "1": chassis.on()
            case "2", "3": chassis.restart()
            default: break
            }
        }
        return answers
    }
}
