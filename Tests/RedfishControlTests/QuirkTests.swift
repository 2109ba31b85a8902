import Machines
import PowerControl
import RedfishSimulator
import TestSupport
import Testing

/// With every oddity that was seen, one by one and thrown with dice, the work gets done.
@Suite struct RedfishQuirkTests {
    /// Everything that a machine is asked in its life.
    static func work(_ service: SimulatedRedfish, _ label: String) async throws {
        var service = service
        service.log("line", created: "2024-01-01T00:00:00Z")
        try await RedfishSimulatorServer.with(service) { server async throws in
            let (controller, access) = (Trial.controller(), Trial.access(server))
            for action in [PowerAction.cycle, .reset, .cycle, .off, .reset] {
                let state = try await controller.perform(action, on: access)
                #expect(state == (action == .off ? .off : .on), "\(label): \(action)")
            }
            let quirks = service.quirks
            let asked: BootOverride = quirks.contains(.onceBecomesContinuous) ? .unverifiable : .confirmed
            #expect(try await controller.bootOnce(from: .network, uefi: true, on: access) == asked, "\(label)")
            #expect(server.service.done.last?.hasPrefix("boot Pxe") == true, "\(label)")
            #expect(server.service.done.last?.hasSuffix("UEFI") == true, "\(label)")
            _ = try await controller.perform(.off, on: access)
            _ = try await controller.describe(access)
            try await controller.setIdentifyLight(.on, on: access)
            try await controller.setIdentifyLight(.off, on: access)
            try await controller.setVirtualMedia("http://10.0.0.1/x.iso", on: access)
            try await controller.setVirtualMedia(nil, on: access)
            #expect(try await controller.sensors(of: access).count == 3, "\(label)")
            #expect(try await controller.firmware(of: access).count == 2, "\(label)")
            #expect(try await controller.eventLog(of: access).count == 1, "\(label)")
            try await controller.clearEventLog(of: access)
            try await controller.changePassword(to: "another-Secret-7", on: access)
            #expect(server.service.sessions.isEmpty, "\(label)")
        }
    }

    @Test("one by one", arguments: Quirk.allCases)
    func each(quirk: Quirk) async throws {
        try await Self.work(SimulatedRedfish(quirks: [quirk]), "\(quirk)")
    }

    @Test("thrown with dice", arguments: 0..<24 as Range<UInt64>)
    func dice(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        var service = SimulatedRedfish(quirks: Quirk.dice(&generator))
        service.powerDelay = Double.random(in: 0...0.1, using: &generator)
        service.staleAfterOff = Double.random(in: 0...0.1, using: &generator)
        service.dropsOverrides = Int.random(in: 0...2, using: &generator)
        service.busyInPOST = Int.random(in: 0...2, using: &generator)
        service.changesMeanwhile = Int.random(in: 0...1, using: &generator)
        service.pageSize = Int.random(in: 1...5, using: &generator)
        try await Self.work(service, "seed \(seed): \(service.quirks.map(\.rawValue).sorted())")
    }

    @Test("a restart that is lost when the chassis is off is not relied on", arguments: [true, false])
    func restartWhenOff(refuses: Bool) async throws {
        let service = SimulatedRedfish(quirks: refuses ? [.refusesRestartWhenOff] : [])
        try await RedfishSimulatorServer.with(service) { server async throws in
            #expect(try await Trial.controller().perform(.reset, on: Trial.access(server)) == .on)
            #expect(server.service.done == ["On"])
        }
    }

    @Test("a mode that cannot be written and is another is told, and not passed over")
    func mode() async throws {
        try await RedfishSimulatorServer.with(SimulatedRedfish(quirks: [.modeNotWritable])) { server async throws in
            let error = await Trial.failure {
                try await Trial.controller().bootOnce(from: .network, uefi: false, on: Trial.access(server))
            }
            #expect(error?.reason == .notDone && error?.detail.contains("BootSourceOverrideMode is UEFI") == true)
        }
    }
}
