import Foundation
import Inventory
import Machines
import NetworkAddresses
import Store
import TestSupport
import Testing

@testable import Controllers

/// Announcements and arrivals, with the daemon's own controllers.
@Suite(.timeLimit(.minutes(2))) struct ExpectationFlowTests {
    private typealias Flow = LifecycleFlowTests

    /// What announces the machine that ``LifecycleFlowTests/report(bootID:holdsData:)`` is.
    private static func announced(_ change: (inout MachineAnnouncement) -> Void = { _ in })
        -> ExpectationService.Announced
    {
        var machine = MachineAnnouncement(name: "node-1", serial: "SN-1", macs: [Flow.mac])
        machine.location = Location("ams1/3/r12/U4")
        machine.labels = ["role": "storage"]
        machine.bmc = .init(address: .init(10, 0, 0, 9), kind: .ipmi, username: "ADMIN")
        machine.accept = true
        change(&machine)
        return .init(machine, bmcPassword: "factory")
    }

    private static func expected(_ store: any RecordStore, _ name: String = "node-1") async throws -> ExpectedMachine? {
        try await store.get(ExpectedMachine.self, name)
    }

    private static func machine(_ store: any RecordStore, _ session: AgentSession) async throws -> Machine {
        try #require(try await store.get(Machine.self, session.machine))
    }

    @Test(
        "announced, then there; or there, then announced: it is named, placed and accepted", arguments: [true, false])
    func arrives(isEarly: Bool) async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(store, keys: keys)
        let service = daemon.controllers.expectations
        if isEarly { _ = try await service.announce([Self.announced()], isTrial: false, by: "anna") }
        let session = try await Flow.boot(daemon)
        if !isEarly { _ = try await service.announce([Self.announced()], isTrial: false, by: "anna") }
        #expect(try await eventually { try await Self.machine(store, session).observed.phase == .available })
        let machine = try await Self.machine(store, session)
        #expect(machine.name == "node-1" && machine.desired.accepted && machine.labels == ["role": "storage"])
        #expect(machine.desired.location == Location("ams1/3/r12/U4"))
        #expect(machine.condition(.expected)?.status == true)
        let endpoint = try #require(machine.desired.bmc)
        #expect(endpoint.address == "10.0.0.9" && endpoint.username == "ADMIN" && endpoint.kind == .ipmi)
        let secret = try #require(try await store.get(Secret.self, endpoint.passwordSecret ?? ""))
        #expect(try secret.open(with: keys.secret) == "factory")
        let expected = try #require(try await Self.expected(store))
        #expect(expected.state == .arrived && expected.observed.machine == machine.id)
        let actors = try await store.list(Event.self).items.filter { $0.details["expected"] == "node-1" }.map(\.actor)
        #expect(actors == Array(repeating: "expected machine node-1 announced by anna", count: 2))
        // Nobody has looked at the session, so it carries no secrets.
        #expect(try await store.get(AgentSession.self, session.id)?.trust == nil)
        for kind in ["machine", "expected-machine", "event", "secret"] {
            for record in try await store.list(kind: kind).records {
                #expect(!String(decoding: record.value, as: UTF8.self).contains("factory"))
            }
        }

        // What a person changes stays, until the announcement is another.
        _ = try await daemon.controllers.machines.change(
            machine.id, .init(labels: ["role": "web"]), generation: nil, by: "bert")
        try await daemon.controllers.agents.report(Flow.report(), from: session)
        #expect(try await Self.machine(store, session).labels == ["role": "web"])
        let again = try await service.announce([Self.announced()], isTrial: false, by: "anna")
        #expect(again == .init(unchanged: ["node-1"]))
        let other = Self.announced { $0.location = Location("ams1/3/r12/U7") }
        #expect(try await service.announce([other], isTrial: false, by: "anna").changed == ["node-1"])
        #expect(
            try await eventually {
                let machine = try await Self.machine(store, session)
                return machine.desired.location == Location("ams1/3/r12/U7") && machine.labels == ["role": "storage"]
            })
        // Withdrawn, it keeps all of it; nothing is left of the announcement.
        try await service.withdraw(["node-1"], by: "anna")
        #expect(
            try await eventually {
                let machine = try await Self.machine(store, session)
                return machine.observed.expected == nil && machine.condition(.expected) == nil
            })
        #expect(try await Self.machine(store, session).name == "node-1")
        #expect(try await store.get(Secret.self, "expected-node-1") == nil)
        await daemon.kill()
    }

    @Test("a daemon that is killed between arrival and match finds it at its next start")
    func killed() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        var daemon = Flow.Daemon(store, keys: keys, keeps: false)
        _ = try await daemon.controllers.expectations.announce([Self.announced()], isTrial: false, by: "anna")
        let session = try await Flow.boot(daemon)
        await daemon.kill()
        daemon = Flow.Daemon(store, keys: keys)
        #expect(try await eventually { try await Self.machine(store, session).desired.accepted })
        await daemon.kill()
    }

    @Test("a MAC that differs: not accepted, nothing taken over, and told; mended, it is accepted")
    func mismatch() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        let wrong = Self.announced { $0.macs = [MACAddress(rawValue: 0x0016_3e00_0099)] }
        _ = try await daemon.controllers.expectations.announce([wrong], isTrial: false, by: "anna")
        let session = try await Flow.boot(daemon)
        #expect(try await eventually { try await Self.expected(store)?.state == .mismatched })
        #expect(
            try await eventually { try await Self.machine(store, session).condition(.expected)?.status == false })
        let machine = try await Self.machine(store, session)
        #expect(!machine.desired.accepted && machine.desired.bmc == nil && machine.name != "node-1")
        #expect(try await Self.expected(store)?.observed.machine == machine.id)
        #expect(
            try await store.list(Event.self).items.contains {
                $0.type == .problem && $0.message.contains("MAC: announced 00:16:3e:00:00:99, found 00:16:3e:00:00:01")
            })
        _ = try await daemon.controllers.expectations.announce([Self.announced()], isTrial: false, by: "anna")
        #expect(try await eventually { try await Self.machine(store, session).desired.accepted })
        #expect(try await Self.expected(store)?.state == .arrived)
        await daemon.kill()
    }

    @Test("a name that is taken keeps it from being accepted, until it is free; the rest is taken over")
    func name() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        let other = BootClient(mac: MACAddress(rawValue: 0x0216_3e00_0099), stage: .ipxe, address: Flow.address)
        var own = Flow.report(bootID: "boot-3")
        own.system = .init(manufacturer: "Slipway", serial: "OTHER")
        own.nics = [NIC(name: "eth0", mac: other.mac, permanentMAC: other.mac, pciAddress: "0000:00:02.0")]
        let first = try await Flow.boot(daemon, report: own, as: other)
        let machines = daemon.controllers.machines
        _ = try await machines.accept(first.machine, name: "node-1", bmc: nil, network: nil, generation: nil, by: "b")
        let session = try await Flow.boot(daemon)
        _ = try await daemon.controllers.expectations.announce([Self.announced()], isTrial: false, by: "anna")
        #expect(
            try await eventually {
                try await Self.expected(store)?.observed.mismatches.map(\.description) == [
                    "name: announced node-1, found another machine of that name"
                ]
            })
        let machine = try await Self.machine(store, session)
        #expect(!machine.desired.accepted && machine.desired.location == Location("ams1/3/r12/U4"))
        _ = try await machines.accept(first.machine, name: "node-0", bmc: nil, network: nil, generation: nil, by: "b")
        #expect(try await eventually { try await Self.machine(store, session).desired.accepted })
        #expect(try await Self.machine(store, session).name == "node-1")
        await daemon.kill()
    }

    @Test("a machine that shows the serial of one that was matched takes nothing over")
    func takeover() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        _ = try await daemon.controllers.expectations.announce([Self.announced()], isTrial: false, by: "anna")
        let session = try await Flow.boot(daemon)
        #expect(try await eventually { try await Self.machine(store, session).desired.accepted })
        let other = BootClient(mac: MACAddress(rawValue: 0x0216_3e00_0099), stage: .ipxe, address: Flow.address)
        var own = Flow.report(bootID: "boot-3")
        own.system = .init(
            manufacturer: "Slipway", serial: "SN-1", uuid: SystemUUID("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"))
        own.nics = [NIC(name: "eth0", mac: other.mac, permanentMAC: other.mac, pciAddress: "0000:00:02.0")]
        let second = try await Flow.boot(daemon, report: own, as: other)
        #expect(second.machine != session.machine)
        // It looks like the first, so a person is asked; told apart, it is still not what was announced.
        _ = try await daemon.controllers.machines.split(second.machine, by: "bert")
        #expect(
            try await eventually {
                try await Self.machine(store, second).condition(.expected)?.reason
                    == "it looks like the expected machine node-1, which is node-1 already"
            })
        let machine = try await Self.machine(store, second)
        #expect(!machine.desired.accepted && machine.observed.expected == nil && machine.desired.bmc == nil)
        #expect(try await Self.expected(store)?.observed.machine == session.machine)
        #expect(try await Self.expected(store)?.state == .arrived)
        await daemon.kill()
    }

    @Test(
        "bad announcements change nothing",
        arguments: [
            ("name", announced { $0.name = "Node 1" }), ("serial", announced { $0.serial = "To Be Filled By O.E.M." }),
            ("profile", announced { $0.profile = "nothing" }), ("labels", announced { $0.labels = ["a b": "c"] }),
            ("unit", announced { $0.location = Location(units: RackUnits(lowest: 3)) }),
            ("bmc", announced { $0.bmc?.port = 70_000 }), ("notes", announced { $0.notes = "a\u{1b}[2J" }),
        ])
    func refused(field: String, bad: ExpectationService.Announced) async throws {
        let store = MemoryStore()
        let daemon = Flow.Daemon(store, keys: .init())
        let good = ExpectationService.Announced(MachineAnnouncement(name: "good", serial: "GOOD"))
        let error = await #expect(throws: ServiceError.self) {
            try await daemon.controllers.expectations.announce([good, bad], isTrial: false, by: "a")
        }
        #expect(error?.kind == .invalid && error?.field == "items.1.\(field)", "\(String(describing: error))")
        let (kept, secrets) = (
            try await store.list(ExpectedMachine.self).items, try await store.list(Secret.self).items
        )
        #expect(kept.isEmpty && secrets.isEmpty)
        await daemon.kill()
    }

    @Test("a password may be left out once it is kept, and a trial keeps none")
    func password() async throws {
        let store = MemoryStore()
        let daemon = Flow.Daemon(store, keys: .init())
        let service = daemon.controllers.expectations
        var without = Self.announced()
        without.bmcPassword = nil
        await #expect(throws: ServiceError.self) { try await service.announce([without], isTrial: false, by: "a") }
        #expect(try await service.announce([Self.announced()], isTrial: true, by: "a").created == ["node-1"])
        #expect(try await store.list(Secret.self).items.isEmpty)
        #expect(try await service.announce([Self.announced()], isTrial: false, by: "a").created == ["node-1"])
        #expect(try await service.announce([without], isTrial: false, by: "a").unchanged == ["node-1"])
        var other = Self.announced()
        other.bmcPassword = "another"
        #expect(try await service.announce([other], isTrial: false, by: "a").changed == ["node-1"])
        _ = try await service.announce(
            [Self.announced { $0.bmc = nil }].map { .init($0.machine) }, isTrial: false, by: "a")
        #expect(try await store.list(Secret.self).items.isEmpty)
        await daemon.kill()
    }
}
