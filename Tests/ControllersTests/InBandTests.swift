import APIModel
import FoundationEssentials
import IPMI
import Inventory
import Machines
import NetworkAddresses
import Store
import TestSupport
import Testing

@testable import Controllers

/// What the agent does to its machine from within: a BMC user, and power where there is no BMC.
@Suite(.timeLimit(.minutes(1))) struct InBandTests {
    private static func report() -> HardwareReport {
        var report = LifecycleFlowTests.report()
        report.hasBMC = true
        report.bmc = HardwareReport.BMC(
            firmware: "2.10", specification: "2.0", manufacturer: 674, product: 256, address: "10.77.0.200", mac: nil,
            vlan: nil)
        return report
    }

    private struct Setup {
        let store: MemoryStore
        let keys = LifecycleFlowTests.Keys()
        let daemon: LifecycleFlowTests.Daemon
        let session: AgentSession

        init(accepted: Bool = true, bmc: BMCSetting? = nil) async throws {
            store = try await LifecycleFlowTests.store()
            daemon = LifecycleFlowTests.Daemon(store, keys: keys)
            session = try await LifecycleFlowTests.boot(daemon, report: InBandTests.report())
            if accepted {
                _ = try await daemon.controllers.machines.accept(
                    session.machine, name: "node-1", bmc: bmc, network: nil, generation: nil, by: "alice")
            }
        }

        func machine() async throws -> Machine { try #require(try await store.get(Machine.self, session.machine)) }

        func secrets() async throws -> [Secret] { try await store.list(Secret.self).items }

        func setUp() async throws {
            try await daemon.controllers.machines.setUpBMC(of: session.machine, username: "slipway", by: "alice")
        }
    }

    @Test("the agent makes a user in the BMC; its password is in the order and in the secret store, and nowhere else")
    func setUp() async throws {
        let setup = try await Setup()
        try await setup.setUp()
        let order = try await LifecycleFlowTests.poll(setup.daemon, setup.session, keys: setup.keys)
        guard case .setUpBMC(let user) = order.task else { throw LifecycleFlowTests.Unexpected("\(order.task)") }
        #expect(user.username == "slipway")
        #expect(BMCPasswordPolicy.fault(user.password) == nil)
        #expect(try await setup.machine().desired.bmc == nil)
        try await setup.daemon.controllers.agents.finish(
            OrderResult(outcome: .succeeded(entry: "none"), facts: ["address": "10.66.66.66"]), order: order.id,
            from: setup.session)
        let machine = try await setup.machine()
        #expect(machine.desired.bmc?.address == "10.77.0.200", "not what the agent says with its result")
        #expect(machine.desired.bmc?.username == "slipway")
        #expect(machine.observed.bmcSetUp == nil)
        let secrets = try await setup.secrets()
        #expect(secrets.map(\.id) == [machine.desired.bmc?.passwordSecret])
        #expect(try secrets[0].open(with: setup.keys.secret) == user.password)
        for event in try await setup.store.list(Event.self).items { #expect(!"\(event)".contains(user.password)) }
        #expect(!"\(machine)".contains(user.password))
    }

    @Test("a user that could not be made leaves no password behind, and the former BMC setting as it was")
    func failed() async throws {
        let setting = BMCSetting(.init(address: "10.77.0.9", kind: .ipmi, username: "root"), password: "factory")
        let setup = try await Setup(bmc: setting)
        let before = try await setup.machine().desired.bmc
        try await setup.setUp()
        let order = try await LifecycleFlowTests.poll(setup.daemon, setup.session, keys: setup.keys)
        try await setup.daemon.controllers.agents.finish(
            OrderResult(outcome: .failed("no free user slot")), order: order.id, from: setup.session)
        #expect(try await setup.machine().desired.bmc == before)
        #expect(try await setup.secrets().map(\.id) == [before?.passwordSecret])
        let events = try await setup.store.list(Event.self).items
        #expect(events.contains { $0.message.contains("no free user slot") })
        #expect(MachineView(try await setup.machine()).bmcSetUpFailure?.contains("no free user slot") == true)
        #expect(MachineView(try await setup.machine()).bmcSetUp == nil)
    }

    @Test(
        "of a user that there was before, half a set-up may have changed the password: both are kept until it is known")
    func half() async throws {
        let setting = BMCSetting(.init(address: "10.77.0.9", kind: .ipmi, username: "slipway"), password: "former")
        let setup = try await Setup(bmc: setting)
        let before = try #require(try await setup.machine().desired.bmc)
        for _ in 0..<2 {
            try await setup.setUp()
            #expect(MachineView(try await setup.machine()).bmcSetUp == "slipway")
            #expect(MachineView(try await setup.machine()).bmcSetUpFailure == nil)
            let order = try await LifecycleFlowTests.poll(setup.daemon, setup.session, keys: setup.keys)
            guard case .setUpBMC(let user) = order.task else { throw LifecycleFlowTests.Unexpected("\(order.task)") }
            try await setup.daemon.controllers.agents.finish(
                OrderResult(outcome: .failed("read back without privilege")), order: order.id, from: setup.session)
            let bmc = try #require(try await setup.machine().desired.bmc)
            #expect(bmc.passwordSecret == before.passwordSecret)
            let secrets = try await setup.secrets()
            #expect(Set(secrets.map(\.id)) == Set([bmc.passwordSecret, bmc.nextPasswordSecret].compactMap { $0 }))
            let next = try #require(secrets.first { $0.id == bmc.nextPasswordSecret })
            #expect(try next.open(with: setup.keys.secret) == user.password)
        }
        // One that no agent ever answered for is in doubt, too.
        try await setup.setUp()
        let lost = try #require(try await setup.machine().observed.bmcSetUp?.passwordSecret)
        try await setup.setUp()
        #expect(try await setup.machine().desired.bmc?.nextPasswordSecret == lost)
        #expect(try await setup.secrets().count == 3)
    }

    @Test("an order that there was not, or that is over, changes nothing")
    func strange() async throws {
        let setup = try await Setup()
        try await setup.setUp()
        let order = try await LifecycleFlowTests.poll(setup.daemon, setup.session, keys: setup.keys)
        let done = OrderResult(outcome: .succeeded(entry: "none"))
        try await setup.daemon.controllers.agents.finish(done, order: "bmc-000000000000", from: setup.session)
        #expect(try await setup.machine().desired.bmc == nil)
        try await setup.daemon.controllers.agents.finish(done, order: order.id, from: setup.session)
        let first = try await setup.machine()
        try await setup.daemon.controllers.agents.finish(
            OrderResult(outcome: .failed("late")), order: order.id, from: setup.session)
        #expect(try await setup.machine().desired.bmc == first.desired.bmc)
        #expect(try await setup.secrets().count == 1)
    }

    @Test("no password for an agent whose machine nobody accepted, nor a user name that no BMC takes")
    func refused() async throws {
        let setup = try await Setup(accepted: false)
        let error = await #expect(throws: ServiceError.self) { try await setup.setUp() }
        #expect(error?.kind == .conflict)
        let name = await #expect(throws: ServiceError.self) {
            try await setup.daemon.controllers.machines.setUpBMC(
                of: setup.session.machine, username: "a name that is too long", by: "alice")
        }
        #expect(name?.field == "username")
        #expect(try await setup.secrets().isEmpty)
    }

    @Test("without a BMC the agent turns its machine off or restarts it; nobody can turn it on")
    func power() async throws {
        let setup = try await Setup(bmc: BMCSetting(.init(address: "", kind: BMCKind.none), password: nil))
        let machines = setup.daemon.controllers.machines
        #expect(try await machines.setPower(.cycle, of: setup.session.machine, by: "alice") == .on)
        let order = try await LifecycleFlowTests.poll(setup.daemon, setup.session, keys: setup.keys)
        #expect(order.task == .reboot)
        #expect(try await machines.setPower(.off, of: setup.session.machine, by: "alice") == .off)
        let off = try await LifecycleFlowTests.poll(setup.daemon, setup.session, keys: setup.keys)
        #expect(off.task == .powerOff)
        let error = await #expect(throws: ServiceError.self) {
            try await machines.setPower(.on, of: setup.session.machine, by: "alice")
        }
        #expect(error?.kind == .conflict)
    }
}
