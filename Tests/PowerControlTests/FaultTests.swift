import BMCSimulator
import IPMI
import Inventory
import Logging
import Machines
import Synchronization
import TestSupport
import Testing

@testable import PowerControl

/// BMCs that lie, and networks that lose.
@Suite struct FaultTests {
    /// Short waits: the simulator answers at once, or by its quirks.
    static let times = IPMITimes(
        waits: [.milliseconds(150), .milliseconds(300), .milliseconds(600), .milliseconds(1200)],
        looks: [.milliseconds(30), .milliseconds(100)], revert: .milliseconds(300), acknowledgement: .milliseconds(150),
        keepAlive: .milliseconds(400), erase: .milliseconds(20), lanChange: .milliseconds(300))

    static let controller = IPMIController(logger: Logger(label: "test"), times: times)

    static func access(
        _ server: SimulatedBMCServer, password: String = "not-a-default", settle: Duration = .seconds(20)
    )
        -> BMCAccess
    {
        BMCAccess(address: "127.0.0.1", port: server.port, username: "operator", password: password, settle: settle)
    }

    static func bmc(seed: UInt64 = 1, _ change: (inout SimulatedBMC) -> Void) -> SimulatedBMC {
        var bmc = SimulatedBMC(username: "operator", password: "not-a-default", seed: seed)
        change(&bmc)
        return bmc
    }

    private func failure(_ body: () async throws -> Void) async -> BMCError? {
        do {
            try await body()
            return nil
        } catch {
            return error as? BMCError
        }
    }

    @Test("wrong password, wrong user, and a BMC that passes over unknown users: each is told as what it is")
    func credentials() async throws {
        try await SimulatedBMCServer.with(Self.bmc { _ in }) { server in
            let wrong = await failure { _ = try await Self.controller.power(of: Self.access(server, password: "no")) }
            #expect(wrong?.reason == .credentials && wrong?.detail.contains("password") == true)
            var access = Self.access(server)
            access.username = "nobody"
            let unknown = await failure { _ = try await Self.controller.power(of: access) }
            #expect(unknown?.reason == .credentials && unknown?.detail.contains("0Dh") == true)
            server.change { $0.quirks.ignoresUnknownUsers = true }
            let ignored = await failure { _ = try await Self.controller.power(of: access) }
            #expect(ignored?.reason == .credentials && ignored?.detail.contains("says nothing to user nobody") == true)
            access.password = "a password of more than twenty bytes"
            let long = await failure { _ = try await Self.controller.power(of: access) }
            #expect(long?.reason == .credentials)
        }
    }

    @Test("a BMC that is silent")
    func silent() async throws {
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.drops = 100 }) { server in
            let error = await failure { _ = try await Self.controller.power(of: Self.access(server)) }
            #expect(error?.reason == .silent && error?.isAbsence == true)
        }
    }

    @Test(
        "suite 17 that is refused, answered with another's algorithms, passed over, or computed wrongly: 3 is taken",
        arguments: ["refused", "own algorithms", "silent", "broken"])
    func suites(fault: String) async throws {
        try await SimulatedBMCServer.with(
            Self.bmc { bmc in
                switch fault {
                case "refused": bmc.suites = [3]
                case "own algorithms": (bmc.suites, bmc.quirks.ownAlgorithms) = ([3], true)
                case "silent": bmc.quirks.silentSuites = [17]
                default: bmc.quirks.brokenSuites = [17]
                }
            }
        ) { server in
            let state = try await Self.controller.power(of: Self.access(server))
            #expect(state == .off)
            let wrong = await failure { _ = try await Self.controller.power(of: Self.access(server, password: "no")) }
            #expect(wrong?.reason == .credentials, "\(String(describing: wrong))")
        }
    }

    @Test("a log-in that was begun twice and got crossed is no wrong password")
    func crossed() async throws {
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.crossedLogins = 2 }) { server in
            let state = try await Self.controller.power(of: Self.access(server))
            #expect(state == .off)
            server.change { $0.quirks.crossedLogins = 1 }
            let wrong = await failure { _ = try await Self.controller.power(of: Self.access(server, password: "no")) }
            #expect(wrong?.reason == .credentials, "\(String(describing: wrong))")
        }
    }

    @Test("suite 17 alone, without 3")
    func strong() async throws {
        try await SimulatedBMCServer.with(Self.bmc { $0.suites = [17] }) { server in
            let state = try await Self.controller.power(of: Self.access(server))
            #expect(state == .off)
            var access = Self.access(server)
            access.quirks = [.cipherSuite3]
            let error = await failure { _ = try await Self.controller.power(of: access) }
            #expect(error?.reason == .refused)
        }
    }

    @Test(
        "over a network that loses, repeats and delays, and with a BMC that is busy, all is done once", arguments: 1...6
    )
    func weather(seed: UInt64) async throws {
        try await SimulatedBMCServer.with(
            Self.bmc(seed: seed) { bmc in
                (bmc.quirks.drops, bmc.quirks.duplicates, bmc.quirks.late, bmc.quirks.busy) = (8, 15, 15, 8)
                bmc.quirks.lateness = 0.2
                bmc.isOn = true
            }
        ) { server in
            let access = Self.access(server)
            let count = try await Self.controller.sensors(of: access).count
            #expect(count == 10)
            // Its answer may be what was lost, and then nothing tells.
            let error = await failure { _ = try await Self.controller.perform(.reset, on: access) }
            #expect(error == nil || error?.reason == .outcomeUnknown, "\(String(describing: error))")
            #expect(server.bmc.log.count { $0 == "control 3" } <= 1)
            let override = try await Self.controller.bootOnce(from: .network, uefi: true, on: access)
            #expect(override == .confirmed)
            let serial = try await Self.controller.describe(access).serial
            #expect(serial == "SN0042")
        }
    }

    @Test("a session that is lost in mid-command is opened anew, once, and a reset is not sent twice for it")
    func lostSession() async throws {
        for number in 1...5 {
            try await SimulatedBMCServer.with(Self.bmc { ($0.quirks.forgetsBefore, $0.isOn) = (number, true) }) {
                server in
                let state = try await Self.controller.perform(.off, on: Self.access(server))
                #expect(state == .off, "\(number)")
                #expect(server.bmc.quirks.forgetsBefore == nil || number > 3)
            }
        }
        // Privilege, status, restart cause, control: the fourth is the reset itself.
        try await SimulatedBMCServer.with(Self.bmc { ($0.quirks.forgetsBefore, $0.isOn) = (4, true) }) { server in
            let error = await failure { _ = try await Self.controller.perform(.reset, on: Self.access(server)) }
            #expect(error?.reason == .outcomeUnknown && !server.bmc.log.contains("control 3"))
            #expect(
                error?.exchange.contains { $0.contains("hard reset: 00 02 03 → no answer") } == true,
                "\(String(describing: error))")
        }
    }

    @Test("a reset or cycle whose answer is lost: the cause of the last start tells, or nobody")
    func lostAnswer() async throws {
        try await SimulatedBMCServer.with(Self.bmc { ($0.quirks.losesControlAnswers, $0.isOn) = (true, true) }) {
            server in
            let state = try await Self.controller.perform(.reset, on: Self.access(server))
            #expect(state == .on)
            let second = await failure { _ = try await Self.controller.perform(.reset, on: Self.access(server)) }
            #expect(second?.reason == .outcomeUnknown && server.bmc.log == ["control 3", "control 3"])
        }
    }

    @Test("a reset that timed out inside the BMC may have been done: it is not given again")
    func timeoutInside() async throws {
        try await SimulatedBMCServer.with(Self.bmc { ($0.quirks.timesOutInControl, $0.isOn) = (true, true) }) {
            server in
            _ = await failure { _ = try await Self.controller.perform(.reset, on: Self.access(server)) }
            let again = await failure { _ = try await Self.controller.perform(.reset, on: Self.access(server)) }
            #expect(again?.reason == .outcomeUnknown)
            #expect(server.bmc.log == ["control 3", "control 3"], "one for each word of a person")
        }
    }

    @Test("a chassis that goes on refusing is told, and its BMC is free again", arguments: PowerAction.allCases)
    func refused(action: PowerAction) async throws {
        try await SimulatedBMCServer.with(Self.bmc { ($0.quirks.refusesControl, $0.isOn) = (true, action != .on) }) {
            server in
            let error = await failure {
                _ = try await Self.controller.perform(action, on: Self.access(server, settle: .seconds(1)))
            }
            #expect(error?.reason == .refused && error?.detail.contains("D5h") == true, "\(String(describing: error))")
        }
    }

    @Test("power that is stuck, that lags, and that comes on only when the chassis has shut down")
    func power() async throws {
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.ignoresControl = true }) { server in
            let error = await failure {
                _ = try await Self.controller.perform(.on, on: Self.access(server, settle: .seconds(1)))
            }
            #expect(error?.reason == .notDone && error?.detail.contains("still reports off") == true)
            #expect(error?.exchange.last?.hasPrefix("chassis status: 00 01") == true)
        }
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.powerLag = 5 }) { server in
            let on = try await Self.controller.perform(.on, on: Self.access(server))
            #expect(on == .on)
            let off = try await Self.controller.perform(.off, on: Self.access(server))
            #expect(off == .off)
        }
        for refuses in [true, false] {
            try await SimulatedBMCServer.with(
                Self.bmc {
                    ($0.isOn, $0.shutsDownIn, $0.quirks.refusesDuringShutdown) = (true, 3, refuses)
                }
            ) { server in
                let late = try await Self.controller.perform(.on, on: Self.access(server, settle: .seconds(4)))
                #expect(late == .on)
                #expect(server.bmc.isOn && server.bmc.shutsDownIn == nil)
            }
        }
    }

    @Test("boot options: an override that reverts is tried again, then told with the exchange")
    func boot() async throws {
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.revertsAfter = 0.1 }) { server in
            let error = await failure {
                _ = try await Self.controller.bootOnce(from: .network, uefi: true, on: Self.access(server))
            }
            #expect(error?.reason == .notDone && error?.detail.contains("3 times") == true)
            #expect(
                error?.exchange.contains { $0.contains("boot once from network: 00 08 05 a0 04 00 00 00 → 00") } == true
            )
            #expect(server.bmc.log.count { $0 == "boot option 5: a0 04 00 00 00" } == 3)
        }
        // Without parameter 3 it would be gone after a moment.
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.flagsLive = 0.1 }) { server in
            let override = try await Self.controller.bootOnce(from: .disk, uefi: false, on: Self.access(server))
            #expect(override == .confirmed)
        }
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.onlyBootFlags = true }) { server in
            let result = try await Self.controller.bootOnce(from: .disk, uefi: true, on: Self.access(server))
            #expect(result == .confirmed)
        }
    }

    @Test("boot options in progress: waited for, taken over when that does not end, and released")
    func inProgress() async throws {
        for times in [3, 1000] {
            try await SimulatedBMCServer.with(Self.bmc { $0.quirks.inProgress = times }) { server in
                let result = try await Self.controller.bootOnce(from: .network, uefi: true, on: Self.access(server))
                #expect(result == .confirmed)
                #expect(server.bmc.bootOptions[0] == [0])
            }
        }
    }

    @Test("sensors in small pieces, lost reservations, a log that takes its time, and one that stays")
    func storage() async throws {
        try await SimulatedBMCServer.with(Self.bmc { ($0.quirks.pieceLimit, $0.quirks.lostReservations) = (7, 3) }) {
            server in
            server.change {
                $0.eventLog.addEvent(time: 0x6ad0_5d00, sensorType: 1, sensor: 1, eventType: 1, data: [9, 0, 0])
            }
            let count = try await Self.controller.sensors(of: Self.access(server)).count
            #expect(count == 10)
            let source = try await Self.controller.eventLog(of: Self.access(server)).first?.source
            #expect(source == "CPU Temp")
            let serial = try await Self.controller.describe(Self.access(server)).serial
            #expect(serial == "SN0042")
        }
        try await SimulatedBMCServer.with(Self.bmc { $0.quirks.eraseLooks = 5 }) { server in
            server.change {
                $0.eventLog.addEvent(time: 0x6ad0_5d00, sensorType: 1, sensor: 1, eventType: 1, data: [9, 0, 0])
            }
            try await Self.controller.clearEventLog(of: Self.access(server))
            #expect(server.bmc.eventLog.entries.count == 1)
            server.change { $0.quirks.keepsLog = true }
            let error = await failure { try await Self.controller.clearEventLog(of: Self.access(server)) }
            #expect(error?.reason == .notDone && error?.exchange.isEmpty == false)
        }
    }

    @Test("a password is changed for its own user, tested, and set back when no session opens with it")
    func password() async throws {
        try await SimulatedBMCServer.with(Self.bmc { $0.users[4] = SimulatedUser("other", "theirs") }) { server in
            try await Self.controller.changePassword(to: "a-new-one-of-twenty.", on: Self.access(server))
            var access = Self.access(server, password: "a-new-one-of-twenty.")
            let withLong = try await Self.controller.power(of: access)
            #expect(withLong == .off)
            #expect(server.bmc.users[4] == SimulatedUser("other", "theirs") && server.bmc.users[1].isLong)
            try await Self.controller.changePassword(to: "short-1", on: access)
            access.password = "short-1"
            let withShort = try await Self.controller.power(of: access)
            #expect(withShort == .off)
            server.change { $0.quirks.cutsPasswords = true }
            let error = await failure {
                try await Self.controller.changePassword(to: "a-new-one-of-twenty.", on: access)
            }
            #expect(error?.reason == .notDone && "\(String(describing: error))".contains("old password was set again"))
            #expect(
                !"\(String(describing: error))".contains("a-new-one")
                    && "\(String(describing: error))".contains("data withheld"))
            let afterwards = try await Self.controller.power(of: access)
            #expect(afterwards == .off)
        }
    }

    @Test("probing tells what answers, without and with a user")
    func probe() async throws {
        try await SimulatedBMCServer.with(Self.bmc { _ in }) { server in
            let finding = await Self.controller.probe(address: "127.0.0.1", port: server.port, credentials: nil)
            #expect(finding.outcome == .answers && finding.facts == ["IPMI 2.0", "cipher suites 3, 17"])
            #expect(finding.description == nil && finding.problem == nil)
            let known = await Self.controller.probe(
                address: "127.0.0.1", port: server.port, credentials: ("operator", "not-a-default"))
            #expect(known.description?.vendor == "Supermicro" && known.problem == nil)
            let wrong = await Self.controller.probe(
                address: "127.0.0.1", port: server.port, credentials: ("operator", "no"))
            #expect(
                wrong.outcome == .answers && wrong.description == nil && wrong.problem?.contains("password") == true)
            server.change { $0.quirks.drops = 100 }
            let none = await Self.controller.probe(address: "127.0.0.1", port: server.port, credentials: nil)
            #expect(none.outcome == .absent && none.problem != nil)
        }
    }
}
