import Foundation
import Inventory
import Machines
import NetworkAddresses
import Store
import TestSupport
import Testing

@testable import Controllers

/// Machines that look like a known one, through sessions, reports and a person's word.
@Suite(.timeLimit(.minutes(2))) struct IdentityFlowTests {
    private typealias Flow = LifecycleFlowTests

    /// The known machine's report, with its board replaced: another UUID, and the same NIC.
    private static func replaced() -> HardwareReport {
        var report = Flow.report(bootID: "boot-2")
        report.system.uuid = SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3199")
        return report
    }

    /// Boots the known machine, then the other, when the index has the first.
    private func boots(_ daemon: Flow.Daemon, _ store: any RecordStore) async throws -> (known: Machine, other: Machine)
    {
        let first = try await Flow.boot(daemon)
        #expect(
            await eventually {
                daemon.controllers.identities.resolve(Flow.report().identity) == .same(first.machine)
            })
        let second = try await Flow.boot(daemon, report: Self.replaced())
        #expect(second.machine != first.machine)
        let machines = daemon.controllers.machines
        return (try await machines.machine(first.machine), try await machines.machine(second.machine))
    }

    private func problems(_ store: any RecordStore) async throws -> [Event] {
        try await store.list(Event.self).items.filter { $0.details["problem"] == "identity-question" }
    }

    @Test("a replaced board is a question: nothing of the known machine changes, and nothing is done to the other")
    func question() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        let (known, other) = try await boots(daemon, store)
        #expect(known.observed.hardware == Flow.report() && known.observed.question == nil)
        #expect(other.observed.question?.resembles == known.id && other.observed.hardware == Self.replaced())
        let problem = try #require(try await problems(store).first)
        #expect(problem.message.contains("`slipway machine merge \(other.name) \(known.name)`"), "\(problem.message)")
        #expect(problem.message.contains("the same serial, NICs; another UUID"), "\(problem.message)")
        let refusal = await #expect(throws: ServiceError.self) {
            try await daemon.controllers.machines.accept(
                other.id, name: nil, bmc: nil, network: nil, generation: nil, by: "anna")
        }
        #expect(refusal?.message.contains("machine merge") ?? false)
        // It boots again: the same record, and no second question.
        #expect(
            await eventually {
                daemon.controllers.identities.resolve(Self.replaced().identity) == .same(other.id)
            })
        var again = Self.replaced()
        again.bootID = "boot-3"
        #expect(try await Flow.boot(daemon, report: again).machine == other.id)
        let (asked, count) = (try await problems(store).count, try await store.list(Machine.self).items.count)
        #expect(asked == 1 && count == 2)
        // Of the two with one NIC the network serves each by its UUID, and who tells none as the known one.
        let director = daemon.controllers.director
        for (uuid, id) in [
            (Flow.report().system.uuid, known.id), (Self.replaced().system.uuid, other.id), (nil, known.id),
        ] {
            let client = BootClient(mac: Flow.mac, uuid: uuid, stage: .firmware)
            #expect(director.entry(client)?.machine == id)
        }
        await daemon.kill()
    }

    @Test("merged: the known machine has the new hardware, the other is gone and its agent starts anew")
    func merge() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        let (known, other) = try await boots(daemon, store)
        let machines = daemon.controllers.machines
        await #expect(throws: ServiceError.self) { try await machines.merge(known.id, into: other.id, by: "anna") }
        await #expect(throws: ServiceError.self) { try await machines.merge(other.id, into: other.id, by: "anna") }
        let merged = try await machines.merge(other.id, into: known.id, by: "anna")
        #expect(merged.id == known.id && merged.observed.hardware == Self.replaced())
        #expect(try await store.list(Machine.self).items.map(\.id) == [known.id])
        #expect(try await store.list(HardwareRevision.self).items.map(\.machine) == [known.id, known.id])
        let session = try #require(other.observed.session)
        #expect(try await store.get(AgentSession.self, session)?.voided == true)
        #expect(
            await eventually {
                daemon.controllers.identities.resolve(Self.replaced().identity) == .same(known.id)
            })
        #expect(try await Flow.boot(daemon, report: Self.replaced()).machine == known.id)
        await #expect(throws: ServiceError.self) { try await machines.merge(other.id, into: known.id, by: "anna") }
        await daemon.kill()
    }

    @Test("split: two machines, each its own from then on")
    func split() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        let (known, other) = try await boots(daemon, store)
        let machines = daemon.controllers.machines
        #expect(try await machines.split(other.id, by: "anna").observed.question == nil)
        await #expect(throws: ServiceError.self) { try await machines.split(other.id, by: "anna") }
        _ = try await machines.accept(other.id, name: "two", bmc: nil, network: nil, generation: nil, by: "anna")
        // Serial and NIC are in both now, and each has its UUID besides.
        #expect(
            await eventually {
                let identities = daemon.controllers.identities
                return identities.compare(Self.replaced().identity, other.identity).common == [.serial, .macs]
            })
        #expect(try await Flow.boot(daemon, report: Self.replaced()).machine == other.id)
        #expect(try await Flow.boot(daemon).machine == known.id)
        await daemon.kill()
    }

    @Test("a MAC alone, and a face that is shown after the session was opened, take nothing over")
    func takeover() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        let known = try await Flow.boot(daemon)
        #expect(
            await eventually {
                daemon.controllers.identities.resolve(Flow.report().identity) == .same(known.machine)
            })
        // Nothing but the known machine's NIC, in the script's request.
        var nobody = Flow.report(bootID: "boot-2")
        (nobody.system, nobody.nics) = (.init(), [])
        let second = try await Flow.boot(daemon, report: nobody)
        let machines = daemon.controllers.machines
        #expect(second.machine != known.machine)
        #expect(try await machines.machine(second.machine).observed.question?.resembles == known.machine)
        #expect(try await machines.machine(known.machine).observed.hardware == Flow.report())
        // A machine of its own, which then says that it is the known one: neither becomes less of itself.
        let other = BootClient(mac: MACAddress(rawValue: 0x0216_3e00_0099), stage: .ipxe, address: Flow.address)
        var own = Flow.report(bootID: "boot-3")
        own.system = .init(serial: "OTHER")
        own.nics = [NIC(name: "eth0", mac: other.mac, permanentMAC: other.mac, pciAddress: "0000:00:02.0")]
        let third = try await Flow.boot(daemon, report: own, as: other)
        #expect(third.machine != known.machine && third.machine != second.machine)
        #expect(
            await eventually { daemon.controllers.identities.resolve(own.identity) == .same(third.machine) })
        _ = try await machines.accept(third.machine, name: "own", bmc: nil, network: nil, generation: nil, by: "anna")
        let refusal = await #expect(throws: ServiceError.self) {
            try await daemon.controllers.agents.report(Flow.report(bootID: "boot-3"), from: third)
        }
        #expect(refusal?.kind == .gone)
        #expect(try await machines.machine(third.machine).observed.hardware == own)
        // One that nobody has accepted yet raises the question, and is none of those by which others are told apart.
        let stranger = BootClient(mac: MACAddress(rawValue: 0x0216_3e00_0098), stage: .ipxe, address: Flow.address)
        var first = own
        first.system = .init(serial: "STRANGER")
        first.nics = [NIC(name: "eth0", mac: stranger.mac, permanentMAC: stranger.mac, pciAddress: "0000:00:02.0")]
        let fourth = try await Flow.boot(daemon, report: first, as: stranger)
        #expect(
            await eventually {
                daemon.controllers.identities.resolve(first.identity) == .same(fourth.machine)
            })
        try await daemon.controllers.agents.report(Flow.report(bootID: "boot-4"), from: fourth)
        #expect(try await machines.machine(fourth.machine).observed.question?.resembles == known.machine)
        #expect(
            await eventually {
                daemon.controllers.identities.resolve(first.identity) == .new
            })
        #expect(daemon.controllers.identities.resolve(Flow.report().identity) == .same(known.machine))
        await daemon.kill()
    }

    @Test("a machine whose NIC was replaced is itself, and its change is told")
    func oneNIC() async throws {
        let store = try await Flow.store()
        let daemon = Flow.Daemon(store, keys: .init())
        var first = Flow.report()
        let spare = MACAddress(rawValue: Flow.mac.rawValue + 9)
        first.nics.append(NIC(name: "eth1", mac: spare, pciAddress: "0000:00:03.0"))
        let session = try await Flow.boot(daemon, report: first)
        #expect(
            await eventually {
                daemon.controllers.identities.resolve(first.identity) == .same(session.machine)
            })
        var second = first
        second.bootID = "boot-2"
        second.nics[1].mac = MACAddress(rawValue: spare.rawValue + 1)
        #expect(try await Flow.boot(daemon, report: second).machine == session.machine)
        let told = try await store.list(Event.self).items.filter { $0.type == .hardwareChanged }.map(\.message)
        #expect(told.count == 1 && told[0].contains("NIC \(spare) gone"))
        await daemon.kill()
    }
}
