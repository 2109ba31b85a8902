import DHCP
import Foundation
import Inventory
import Machines
import Store
import Synchronization
import TestSupport
import Testing

@testable import Controllers

/// The BMC's boot device as a way to the disk.
@Suite struct BootDeviceTests {
    /// Takes commands in their order, and may refuse boot devices or power commands.
    final class Chassis: BMCController {
        let commands = Mutex<[String]>([])
        let refuses: Bool
        let refusesPower: Bool

        init(refuses: Bool = false, refusesPower: Bool = false) {
            (self.refuses, self.refusesPower) = (refuses, refusesPower)
        }

        func power(of bmc: BMCAccess) async throws -> PowerState { .on }
        func perform(_ action: PowerAction, on bmc: BMCAccess) async throws -> PowerState {
            commands.withLock { $0.append(action.rawValue) }
            guard !refusesPower else { throw LifecycleFlowTests.Unexpected("not supported in present state (D5h)") }
            return action == .off ? .off : .on
        }
        func bootOnce(from device: BootDevice, uefi: Bool, on bmc: BMCAccess) async throws -> BootOverride {
            guard !refuses else { throw LifecycleFlowTests.Unexpected("invalid data field (CCh)") }
            commands.withLock { $0.append("\(device.rawValue) \(uefi ? "UEFI" : "BIOS")") }
            return .confirmed
        }
        var heard: [String] { commands.withLock { $0 } }
    }

    /// A machine in somebody's hands, whose disk is its own.
    private func machine(_ daemon: LifecycleFlowTests.Daemon, _ store: MemoryStore) async throws -> String {
        let id = try await LifecycleFlowTests.boot(daemon).machine
        _ = try await daemon.controllers.machines.accept(
            id, name: "node-1",
            bmc: BMCSetting(.init(address: "10.0.0.9", kind: .ipmi, username: "admin"), password: "p"), network: nil,
            generation: nil, by: "alice")
        try #require(await eventually { try await LifecycleFlowTests.phase(store) == .available })
        try await store.transaction { transaction in
            var machine = try #require(try await transaction.get(Machine.self, id))
            machine.observed.phase = .maintenance
            try transaction.put(machine)
        }
        return id
    }

    @Test("the disk is named ahead of the power command; when the firmware asks the network all the same, not again")
    func told() async throws {
        let (store, chassis) = (try await LifecycleFlowTests.store(), Chassis())
        let daemon = LifecycleFlowTests.Daemon(
            store, keys: .init(), bmcs: chassis, boot: BootPreferences(localDisk: [.bmc, .exitFailure]), records: true)
        let id = try await machine(daemon, store)
        _ = try await daemon.controllers.machines.setPower(.off, of: id, by: "alice")
        _ = try await daemon.controllers.machines.setPower(.on, of: id, by: "alice")
        #expect(chassis.heard == ["off", "disk UEFI", "on"])
        daemon.controllers.director.record(
            BootTraceEvent(
                mac: LifecycleFlowTests.mac, step: .discover(stage: .firmware, architecture: .efiX64)))
        let learnt = await eventually {
            daemon.controllers.boots.habits(of: LifecycleFlowTests.mac).failedDiskMethods == [.bmc]
        }
        #expect(learnt)
        _ = try await daemon.controllers.machines.setPower(.cycle, of: id, by: "alice")
        #expect(chassis.heard == ["off", "disk UEFI", "on", "cycle"])
        await daemon.kill()
    }

    @Test("a BMC that takes no boot device does not stop the command, and the trail says so")
    func refused() async throws {
        let (store, chassis) = (try await LifecycleFlowTests.store(), Chassis(refuses: true))
        let daemon = LifecycleFlowTests.Daemon(
            store, keys: .init(), bmcs: chassis, boot: BootPreferences(localDisk: [.bmc]))
        let id = try await machine(daemon, store)
        _ = try await daemon.controllers.machines.setPower(.cycle, of: id, by: "alice")
        #expect(chassis.heard == ["cycle"])
        let events = try await store.list(Event.self).items.map(\.message)
        #expect(events.contains { $0.contains("CCh") && $0.contains("the network will tell the way") }, "\(events)")
        await daemon.kill()
    }

    @Test("only a machine that owns its disk, and only by profile")
    func others() {
        let all = BootPreferences(localDisk: [.bmc])
        for phase in Phase.allCases {
            let owns = [.joining, .ready, .draining, .maintenance].contains(phase)
            func device(
                _ preferences: BootPreferences, order: BootOrder = .networkFirst, isRepeated: Bool = false
            ) -> BootDevice? {
                BootPolicy.bootDevice(
                    phase: phase, order: order, isRepeated: isRepeated, preferences: preferences, habits: [])
            }
            #expect(device(all) == (owns ? .disk : nil))
            #expect(device(BootPreferences()) == nil)
            // Where the disk comes first, and where no agent came, the network is named to those that are worked on.
            let isAtWork = [.wiping, .installing, .rescue].contains(phase)
            #expect(device(BootPreferences(), order: .diskFirst) == (isAtWork ? .network : nil))
            #expect(device(BootPreferences(), isRepeated: true) == (isAtWork ? .network : nil))
        }
    }
}
