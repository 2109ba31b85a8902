import Logging
import Machines
import PowerControl
import RedfishSimulator
import TestSupport
import Testing

/// What the suites share.
enum Trial {
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static var limits: RedfishLimits {
        var limits = RedfishLimits()
        (limits.poll, limits.answer, limits.retryAfter) = (.milliseconds(20), .seconds(20), .milliseconds(200))
        return limits
    }

    static func controller() -> RedfishController { RedfishController(limits: limits, logger: logger) }

    /// For a simulator's certificate, pinned.
    static func access(
        _ server: RedfishSimulatorServer, password: String = "not-a-default", settle: Duration = .seconds(20),
        trust: BMCTrust? = nil
    ) -> BMCAccess {
        BMCAccess(
            kind: .redfish, address: "127.0.0.1", port: server.port, username: "operator", password: password,
            trust: trust ?? .pinned(server.shown.sha256), settle: settle)
    }

    /// Runs a command that has to fail.
    static func failure(_ body: () async throws -> some Sendable) async -> BMCError? {
        do {
            let result = try await body()
            Issue.record("it worked: \(result)")
            return nil
        } catch let error as BMCError {
            return error
        } catch {
            Issue.record("not an error of a BMC: \(error)")
            return nil
        }
    }
}

/// The controller against the simulator: commands.
@Suite struct RedfishCommandTests {
    @Test("on, off, cycle and reset are waited for, and sent once")
    func power() async throws {
        var service = SimulatedRedfish()
        service.powerDelay = 0.1
        try await RedfishSimulatorServer.with(service) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server))
            #expect(try await controller.power(of: access) == .off)
            for (action, state) in [
                (PowerAction.on, PowerState.on), (.cycle, .on), (.reset, .on), (.off, .off), (.cycle, .on),
            ] {
                #expect(try await controller.perform(action, on: access) == state)
                #expect(try await controller.power(of: access) == state)
            }
            #expect(server.service.done == ["On", "PowerCycle", "ForceRestart", "ForceOff", "On"])
            // Nothing to do.
            #expect(try await controller.perform(.on, on: access) == .on)
            #expect(server.service.done.count == 5)
            // Slots are few.
            #expect(server.service.sessions.isEmpty)
            #expect(server.service.mostSessions == 1)
        }
    }

    @Test("\"on\" in the middle of a shutdown is waited out", arguments: [PowerAction.on, .cycle, .reset])
    func shutdown(action: PowerAction) async throws {
        var service = SimulatedRedfish()
        service.become([(0, "PoweringOff"), (1.5, "Off")], at: 0.5)
        try await RedfishSimulatorServer.with(service) { server async throws in
            #expect(try await Trial.controller().perform(action, on: Trial.access(server)) == .on)
            #expect(server.service.done == ["On"])
        }
    }

    @Test("On that is stale after ForceOff is waited out")
    func stale() async throws {
        var service = SimulatedRedfish()
        service.become([(0, "On")], at: 0)
        (service.staleAfterOff, service.powerDelay) = (0.3, 0.1)
        try await RedfishSimulatorServer.with(service) { server async throws in
            #expect(try await Trial.controller().perform(.off, on: Trial.access(server)) == .off)
            #expect(server.service.done == ["ForceOff"])
        }
    }

    @Test("the boot override is set and read back, in one PATCH", arguments: [true, false])
    func boot(uefi: Bool) async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server))
            #expect(try await controller.bootOnce(from: .network, uefi: uefi, on: access) == .confirmed)
            #expect(server.service.done == ["boot Pxe Once \(uefi ? "UEFI" : "Legacy")"])
            #expect(try await controller.bootOnce(from: .disk, uefi: uefi, on: access) == .confirmed)
            #expect(server.service.done.last == "boot Hdd Once \(uefi ? "UEFI" : "Legacy")")
        }
    }

    @Test("an override that does not stay is set again, then it is the BMC's fault", arguments: [true, false])
    func reverts(atOnce: Bool) async throws {
        var service = SimulatedRedfish()
        if atOnce { service.dropsOverrides = 2 } else { service.forgetsOverrides = 2 }
        try await RedfishSimulatorServer.with(service) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server))
            #expect(try await controller.bootOnce(from: .network, uefi: true, on: access) == .confirmed)
            server.change { service, _ in
                (service.dropsOverrides, service.forgetsOverrides) = (atOnce ? 9 : 0, atOnce ? 0 : 9)
            }
            let error = await Trial.failure { try await controller.bootOnce(from: .disk, uefi: true, on: access) }
            #expect(error?.reason == .notDone)
            let words = "\(error.map { "\($0)" } ?? "")"
            #expect(
                words.contains("the BMC's fault") && words.contains("PATCH /redfish/v1/Systems/1 Hdd Once UEFI → 204"),
                "\(words)")
            #expect(words.contains("BootSourceOverrideTarget is ") && !words.contains("not-a-default"), "\(words)")
        }
    }

    @Test("in POST it is tried until the BMC takes it; a tag that is old by then is renewed")
    func busy() async throws {
        var service = SimulatedRedfish(quirks: [.requiresIfMatch])
        (service.busyInPOST, service.changesMeanwhile) = (3, 1)
        try await RedfishSimulatorServer.with(service) { server async throws in
            let result = try await Trial.controller().bootOnce(from: .network, uefi: true, on: Trial.access(server))
            #expect(result == .confirmed)
        }
    }

    @Test("facts")
    func facts() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server))
            let description = try await controller.describe(access)
            // One command is one connection.
            #expect(server.connections == 1)
            #expect(description.specification == "Redfish 1.17.0" && description.system == "Contoso R1000")
            #expect(description.serial == "CNT0001" && description.power == .off && description.firmware == "7.00.1")
            #expect(description.abilities.contains("virtual media") && description.abilities.contains("serial console"))
            let sensors = try await controller.sensors(of: access)
            #expect(sensors.map(\.name) == ["Inlet", "Fan 1", "PS1"])
            #expect(sensors[0].value == 23.5 && sensors[0].unit == "°C" && sensors[1].health == .critical)
            let firmware = try await controller.firmware(of: access)
            #expect(firmware.map(\.version) == ["1.2.3", "7.00.1"] && firmware[0].isUpdateable == true)
            let secureBoot = try await controller.secureBoot(of: access)
            #expect(secureBoot == SecureBootState(isEnabled: true, isActive: false, mode: "UserMode"))
            let attributes = try await controller.biosAttributes(of: access)
            #expect(attributes == ["BootMode": "Uefi", "ProcCores": "32", "SriovEnable": "true", "Empty": ""])
            #expect(try await controller.certificates(of: access).map(\.sha256) == [server.shown.sha256])
        }
    }

    @Test("the log is read over its pages, newest first, and cleared")
    func log() async throws {
        var service = SimulatedRedfish()
        service.pageSize = 7
        for number in 10..<40 {
            service.log("line \(number)", severity: "Warning", created: "2024-01-01T00:00:\(number)Z")
        }
        try await RedfishSimulatorServer.with(service) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server, settle: .seconds(1)))
            let entries = try await controller.eventLog(of: access)
            #expect(entries.count == 30 && entries.first?.message == "line 39" && entries.last?.message == "line 10")
            #expect(entries.first?.severity == .warning)
            try await controller.clearEventLog(of: access)
            #expect(try await controller.eventLog(of: access).map(\.message) == ["Log cleared"])
            server.change { service, _ in service.keepsLog = true }
            let error = await Trial.failure { try await controller.clearEventLog(of: access) }
            #expect(error?.reason == .notDone)
        }
    }

    @Test("the identify light", arguments: [[], [.indicatorLEDOnly], [.indicatorNeverOff]] as [Set<Quirk>])
    func light(quirks: Set<Quirk>) async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish(quirks: quirks)) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server))
            try await controller.setIdentifyLight(.on, on: access)
            try await controller.setIdentifyLight(.off, on: access)
            let expected =
                quirks.isEmpty
                ? ["LocationIndicatorActive true", "LocationIndicatorActive false"]
                : [
                    "IndicatorLED \"Blinking\"",
                    quirks == [.indicatorLEDOnly] ? "IndicatorLED \"Off\"" : "IndicatorLED \"Lit\"",
                ]
            #expect(server.service.done == expected)
        }
    }

    @Test("a virtual CD", arguments: [[], [.imageOnly], [.mediaByPatch], [.tasks]] as [Set<Quirk>])
    func media(quirks: Set<Quirk>) async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish(quirks: quirks)) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server, settle: .seconds(1)))
            let (one, other) = ("http://10.0.0.1/one.iso", "http://10.0.0.1/other.iso")
            for url in [one, one, other, nil, nil] { try await controller.setVirtualMedia(url, on: access) }
            #expect(server.service.done == ["insert \(one)", "eject", "insert \(other)", "eject"])
            server.change { service, _ in service.ignoresMedia = true }
            let error = await Trial.failure { try await controller.setVirtualMedia(one, on: access) }
            #expect(error?.reason == .notDone)
        }
    }

    @Test("a password is changed for the own account, and shown to open a session", arguments: [false, true])
    func password(isDemanded: Bool) async throws {
        var service = SimulatedRedfish(quirks: [.requiresIfMatch])
        service.demandsPasswordChange = isDemanded
        try await RedfishSimulatorServer.with(service) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server, settle: .seconds(1)))
            if isDemanded {
                let error = await Trial.failure { try await controller.power(of: access) }
                #expect(error?.reason == .credentials && error?.detail.contains("new password") == true)
            }
            let short = await Trial.failure { try await controller.changePassword(to: "short", on: access) }
            #expect(short?.reason == .refused && server.service.password == "not-a-default")
            #expect(short?.detail.contains("short") == false, "\(short.map { "\($0)" } ?? "")")
            try await controller.changePassword(to: "another-Secret-7", on: access)
            #expect(server.service.password == "another-Secret-7")
            #expect(try await controller.power(of: Trial.access(server, password: "another-Secret-7")) == .off)
            #expect(server.service.sessions.isEmpty)
        }
    }

    @Test("of two systems the one with the machine's UUID is meant, and none without")
    func blades() async throws {
        var service = SimulatedRedfish()
        service.tree["/redfish/v1/Systems/2"] = service.tree["/redfish/v1/Systems/1"]
        service.tree["/redfish/v1/Systems/2"]?["UUID"] = "48947555-7742-3448-3784-823347823834"
        service.tree["/redfish/v1/Systems/2"]?["@odata.id"] = "/redfish/v1/Systems/2"
        service.tree["/redfish/v1/Systems"]?["Members"] = [
            ["@odata.id": "/redfish/v1/Systems/2"], ["@odata.id": "/redfish/v1/Systems/1"],
        ]
        try await RedfishSimulatorServer.with(service) { server async throws in
            var access = Trial.access(server)
            let error = await Trial.failure { [access] in try await Trial.controller().power(of: access) }
            #expect(error?.detail.contains("2 systems") == true)
            access.machineUUID = "38947555-7742-3448-3784-823347823834"
            #expect(try await Trial.controller().perform(.on, on: access) == .on)
        }
    }

    @Test("events as they come, and from the log when the stream ends")
    func events() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            let controller = Trial.controller()
            var events = controller.events(of: Trial.access(server), interval: .milliseconds(50)).makeAsyncIterator()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    #expect(await eventually { server.followers == 1 })
                    server.emit("Fan 1 failed", severity: "Critical", id: "1")
                }
                let event = try await events.next()
                #expect(event?.message == "Fan 1 failed" && event?.severity == .critical)
                try await group.waitForAll()
                server.change { service, _ in service.log("before", created: "2024-01-01T00:00:00Z") }
                server.hangUp()
                group.addTask {
                    #expect(await eventually { server.service.requests.count { $0.contains("/Entries") } >= 2 })
                    server.change { service, _ in service.log("PS1 lost", created: "2024-01-01T00:00:01Z") }
                }
                #expect(try await events.next()?.message == "PS1 lost")
                try await group.waitForAll()
            }
        }
    }

    @Test("a reader of events who goes leaves no session behind")
    func reader() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            func first() async throws -> String? {
                for try await event in Trial.controller().events(of: Trial.access(server)) { return event.message }
                return nil
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    #expect(await eventually { server.followers == 1 })
                    server.emit("Fan 1 failed", id: "1")
                }
                #expect(try await first() == "Fan 1 failed")
                try await group.waitForAll()
            }
            let isGone = await eventually { server.service.sessions.isEmpty && server.followers == 0 }
            #expect(
                isGone,
                "\(server.service.sessions) \(server.followers) of \(server.connections): \(server.service.requests)")
        }
    }

    @Test("what Redfish does not do is left to another wire")
    func console() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish()) { server async throws in
            let error = await Trial.failure {
                try await Trial.controller().withConsole(of: Trial.access(server)) { _ in }
            }
            #expect(error?.reason == .unsupported)
        }
    }
}
