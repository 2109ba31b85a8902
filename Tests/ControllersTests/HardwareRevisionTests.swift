import APIModel
import Foundation
import Inventory
import Machines
import NetworkAddresses
import Store
import TestSupport
import Testing

@testable import Controllers

/// What becomes of reports that differ: revisions, and in a machine that has its system a question.
@Suite struct HardwareRevisionTests {
    private typealias Flow = LifecycleFlowTests

    private static func report(modules: Int, bootID: String = "boot-1") -> HardwareReport {
        var report = Flow.report(bootID: bootID)
        report.memory = .init(
            installedBytes: Int64(modules) << 34, sockets: 4,
            modules: (0..<modules).map { .init(slot: "A\($0)", sizeBytes: 16 << 30) })
        return report
    }

    @Test("a report that says nothing new makes no revision and no event; each other one does, and the oldest go")
    func revisions() async throws {
        let (store, time) = (try await Flow.store(), ManualTime())
        let daemon = Flow.Daemon(store, keys: .init(), now: { time.now })
        let session = try await Flow.boot(daemon, report: Self.report(modules: 4))
        let agents = daemon.controllers.agents
        try await agents.report(Self.report(modules: 4), from: session)
        let machine = try await daemon.controllers.machines.machine(session.machine)
        #expect(machine.observed.hardwareRevision == 1)
        try await agents.report(Self.report(modules: 3), from: session)
        let (from, to) = try await daemon.controllers.machines.hardwareRevisions(
            of: try await daemon.controllers.machines.machine(session.machine), since: nil)
        #expect(from?.number == 1 && to.number == 2)
        #expect(to.changes.map(\.description) == ["memory module A3 gone (16 GiB)", "memory: 64 GiB → 48 GiB"])
        let events = try await store.list(Event.self).items
        #expect(events.filter { $0.type == .hardwareReported }.count == 1)
        let told = events.filter { $0.type == .hardwareChanged }.map(\.message)
        #expect(told.count == 1 && told[0].contains("memory module A3 gone (16 GiB); memory: 64 GiB → 48 GiB"))
        for number in 0..<(HardwareRevision.capacity + 3) {
            time.advance(by: 30)
            try await agents.report(Self.report(modules: 1 + number % 2), from: session)
        }
        let newest = try await daemon.controllers.machines.machine(session.machine)
        let kept = try await daemon.controllers.machines.hardwareRevisions(of: newest)
        #expect(kept.count == HardwareRevision.capacity && kept.last?.number == newest.observed.hardwareRevision)
        #expect(try await store.list(HardwareRevision.self).items.count == HardwareRevision.capacity)
        await #expect(throws: ServiceError.self) {
            try await daemon.controllers.machines.hardwareRevisions(of: newest, since: 1)
        }
    }

    @Test("a change in a ready machine waits for a person's word, and changes nothing of what is known until then")
    func ready() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(store, keys: keys, boot: BootPreferences(localDisk: [.agentKexec]))
        let (order, session) = try await Flow.installed(daemon, store, keys)
        try await daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "kexec")), order: order.id, from: session)
        _ = try await Flow.register(daemon, token: try Flow.joinToken(order))
        #expect(try await eventually { try await Flow.phase(store) == .ready })
        let machines = daemon.controllers.machines
        func machine() async throws -> Machine { try await machines.machine(session.machine) }
        await #expect(throws: ServiceError.self) { try await machines.confirmHardware(of: session.machine, by: "t") }

        var other = Flow.report(bootID: "boot-2", holdsData: true)
        other.firmware.version = "2.0"
        var known = other
        known.firmware.version = "1.0"
        // The same hardware says a fact that was not known: no change.
        _ = try await Flow.boot(daemon, report: known)
        #expect(try await machine().condition(.hardwareChanged) == nil)
        try await store.transaction { transaction in
            var machine = try #require(try await transaction.get(Machine.self, session.machine))
            machine.observed.hardware?.firmware.version = "1.0"
            try transaction.put(machine)
        }
        let again = try await Flow.boot(daemon, report: other)
        #expect(try await machine().condition(.hardwareChanged)?.status == true)
        #expect(try await machine().condition(.hardwareChanged)?.reason.contains("firmware version: 1.0 → 2.0") == true)
        #expect(try await machine().observed.hardware?.firmware.version == "1.0")
        #expect(try await machine().observed.phase == .ready)

        // It is put back, and then changed again, and a person says that this is right.
        try await daemon.controllers.agents.report(known, from: again)
        #expect(try await machine().condition(.hardwareChanged)?.status == false)
        try await daemon.controllers.agents.report(other, from: again)
        let confirmed = try await machines.confirmHardware(of: session.machine, by: "anna")
        #expect(confirmed.observed.hardware?.firmware.version == "2.0")
        #expect(confirmed.condition(.hardwareChanged)?.reason.contains("anna") == true)
        #expect(try await machines.hardwareRevisions(of: confirmed).map(\.number) == [1, 2, 3, 4])
        await #expect(throws: ServiceError.self) { try await machines.confirmHardware(of: session.machine, by: "t") }

        // A NIC more is another face to an order, so its agent is told nothing, and it is asked about all the same.
        var more = other
        more.nics.append(
            NIC(name: "eth1", mac: MACAddress(rawValue: Flow.mac.rawValue + 1), pciAddress: "0000:00:03.0"))
        await #expect(throws: ServiceError.self) { try await daemon.controllers.agents.report(more, from: again) }
        #expect(
            try await machine().condition(.hardwareChanged)?.reason.contains("NIC 00:16:3e:00:00:02 appeared") == true)
        let taken = try await machines.confirmHardware(of: session.machine, by: "anna")
        #expect(taken.observed.hardware == more && taken.observed.macs.count == 2)
        try await daemon.controllers.agents.report(more, from: again)
        await daemon.kill()
    }
}
