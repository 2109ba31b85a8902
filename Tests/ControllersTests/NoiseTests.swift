import Foundation
import Inventory
import Machines
import NetworkAddresses
import Store
import TestSupport
import Testing

@testable import Controllers

/// What neighbours and holders of a ticket can make the daemon write is bounded.
@Suite(.timeLimit(.minutes(2))) struct NoiseTests {
    private typealias Flow = LifecycleFlowTests

    private static func report(switch name: String, modules: Int = 4) -> HardwareReport {
        var report = Flow.report()
        report.nics[0].neighbour = .init(system: name, port: "1")
        report.memory = .init(
            installedBytes: Int64(modules) << 34, sockets: 4,
            modules: (0..<modules).map { .init(slot: "A\($0)", sizeBytes: 16 << 30) })
        return report
    }

    @Test("a neighbour with another name each time makes few revisions; the machine's own changes all make one")
    func neighbour() async throws {
        let (store, time) = (try await Flow.store(), ManualTime())
        let daemon = Flow.Daemon(store, keys: .init(), now: { time.now })
        let session = try await Flow.boot(daemon, report: Self.report(switch: "sw"))
        let agents = daemon.controllers.agents
        func machine() async throws -> Machine { try await daemon.controllers.machines.machine(session.machine) }
        for number in 0..<240 {
            time.advance(by: 30)
            try await agents.report(Self.report(switch: "sw-\(number)"), from: session)
        }
        // Five at once, and one in ten minutes of the two hours.
        let noisy = try await machine()
        #expect((10...20).contains(noisy.observed.hardwareRevision ?? 0), "\(noisy.observed.hardwareRevision ?? 0)")
        // What is shown is always the newest.
        #expect(noisy.observed.hardware?.nics[0].neighbour?.system == "sw-239")
        for modules in [3, 2] {
            time.advance(by: 30)
            try await agents.report(Self.report(switch: "sw-x", modules: modules), from: session)
        }
        let revision = noisy.observed.hardwareRevision ?? 0
        let (from, to) = try await daemon.controllers.machines.hardwareRevisions(of: try await machine(), since: nil)
        #expect(to.number == revision + 2 && from?.number == revision + 1)
        #expect(to.changes.map(\.subject) == ["memory module A2", "memory"])
        #expect(from?.changes.map(\.subject).contains("NIC 00:16:3e:00:00:01 switch port") == true)
        await daemon.kill()
    }

    @Test("who reports without end is told to wait, and heard again after that")
    func flood() async throws {
        let (store, time) = (try await Flow.store(), ManualTime())
        let daemon = Flow.Daemon(store, keys: .init(), now: { time.now })
        let session = try await Flow.boot(daemon)
        var refusal: ServiceError?
        var heard = 1
        for number in 0..<100 where refusal == nil {
            do {
                try await daemon.controllers.agents.report(Flow.report(bootID: "b-\(number)"), from: session)
                heard += 1
            } catch { refusal = error as? ServiceError }
        }
        #expect(
            heard == 20 && refusal?.kind == .busy && refusal?.retryAfter == 15,
            "\(heard) \(String(describing: refusal))")
        time.advance(by: 15)
        try await daemon.controllers.agents.report(Flow.report(bootID: "b"), from: session)
        await #expect(throws: ServiceError.self) {
            try await daemon.controllers.agents.report(Flow.report(bootID: "c"), from: session)
        }
        await daemon.kill()
    }

    @Test("one NIC raises so many questions and no more, and a new one when they are answered")
    func questions() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        _ = try await Flow.boot(daemon)
        let identities = daemon.controllers.identities
        #expect(await eventually { identities.resolve(Flow.report().identity) != .new })
        func face(_ number: Int) -> HardwareReport {
            var report = Flow.report(bootID: "boot-\(number)")
            report.system.uuid = SystemUUID("4c4c4544-0042-3510-8052-0000000000\(10 + number)")
            return report
        }
        for number in 0..<SessionOpening.questionCapacity {
            _ = try await Flow.boot(daemon, report: face(number))
            #expect(await eventually { identities.questions(raisedBy: Flow.mac) == number + 1 })
        }
        let refusal = await #expect(throws: ServiceError.self) { try await Flow.boot(daemon, report: face(20)) }
        #expect(refusal?.message.contains("wait for a person's word") == true)
        #expect(try await store.list(Machine.self).items.count == SessionOpening.questionCapacity + 1)
        // One that is known already goes on.
        _ = try await Flow.boot(daemon, report: face(3))
        let asked = try #require(try await store.list(Machine.self).items.first { $0.observed.question != nil })
        _ = try await daemon.controllers.machines.split(asked.id, by: "anna")
        #expect(
            await eventually { identities.questions(raisedBy: Flow.mac) == SessionOpening.questionCapacity - 1 })
        _ = try await Flow.boot(daemon, report: face(21))
        await daemon.kill()
    }

    @Test("where a relay says that a machine is plugged in is kept, from before it was a machine, and a move is told")
    func relay() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init(), records: true)
        let director = daemon.controllers.director
        func discover(_ location: String) {
            director.record(
                BootTraceEvent(
                    mac: Flow.mac, location: location, step: .discover(stage: .firmware, architecture: nil)))
        }
        discover("Gi1/0/7 at sw-12")
        let session = try await Flow.boot(daemon)
        func ports() async throws -> [RelayPort]? {
            try await store.get(Machine.self, session.machine)?.observed.relayPorts
        }
        #expect(try await eventually { try await ports()?.map(\.words) == ["Gi1/0/7 at sw-12"] })
        #expect(try await ports()?.map(\.mac) == [Flow.mac])
        #expect(await eventually { director.machine(with: Flow.mac) == session.machine })
        discover("Gi1/0/8 at sw-12")
        #expect(try await eventually { try await ports()?.map(\.words) == ["Gi1/0/8 at sw-12"] })
        let moves = try await store.list(Event.self).items.filter { $0.details["from"] == "Gi1/0/7 at sw-12" }
        #expect(moves.count == 1 && moves[0].message.contains("formerly at Gi1/0/7 at sw-12"))
        // One that says another place each time is believed now and then.
        for number in 0..<100 { discover("port \(number)") }
        director.record(BootTraceEvent(mac: Flow.mac, step: .script(name: "end")))
        #expect(
            await eventually { daemon.controllers.boots.traces(of: Flow.mac).last?.location == "port 99" })
        let told = try await store.list(Event.self).items.filter { $0.message.contains("by a relay's word") }.count
        #expect(told < 10)
        await daemon.kill()
    }

    @Test("location and labels by hand: what is wrong changes nothing, and each change is told")
    func changes() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        let session = try await Flow.boot(daemon)
        let machines = daemon.controllers.machines
        let place = Location("ams1/3/r12/U4")
        let changed = try await machines.change(
            session.machine, .init(location: .some(place), labels: ["role": "db"]), generation: 1, by: "anna")
        #expect(changed.desired.location == place && changed.labels == ["role": "db"] && changed.generation == 2)
        await #expect(throws: ServiceError.self) {
            try await machines.change(session.machine, .init(labels: ["x": "y"]), generation: 1, by: "anna")
        }
        await #expect(throws: ServiceError.self) {
            try await machines.change(session.machine, .init(labels: ["a b": "y"]), generation: nil, by: "anna")
        }
        await #expect(throws: ServiceError.self) {
            try await machines.change(
                session.machine, .init(location: .some(Location(site: "a\u{7}"))), generation: nil, by: "anna")
        }
        let same = try await machines.change(
            session.machine, .init(location: .some(place)), generation: nil, by: "anna")
        #expect(same.generation == 2)
        let cleared = try await machines.change(
            session.machine, .init(location: .some(nil), labels: ["role": nil]), generation: nil, by: "bert")
        #expect(cleared.desired.location == nil && cleared.labels.isEmpty && cleared.generation == 3)
        let told = try await store.list(Event.self).items.filter { $0.type == .machineChanged }.map(\.message)
        #expect(told.count == 2 && told[0].hasSuffix("location none → ams1/3/r12/U4; label role = db"), "\(told)")
        await daemon.kill()
    }
}
