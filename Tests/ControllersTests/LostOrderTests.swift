import Crypto
import Foundation
import Machines
import Store
import TestSupport
import Testing

@testable import Controllers

/// An order that left the store and died with a daemon.
@Suite(.timeLimit(.minutes(2))) struct LostOrderTests {
    private typealias Flow = LifecycleFlowTests

    @Test("the agent's next call has its machine looked at once it waits, and gets another order")
    func reissued() async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let former = Flow.Daemon(store, keys: keys)
        let (lost, session) = try await Flow.installed(former, store, keys)
        await former.kill()

        // A new daemon whose lifecycle looks when this test says so: before the agent calls, it has no reason to.
        let daemon = Flow.Daemon(store, keys: keys)
        await daemon.kill()
        let (agents, reconciler) = (daemon.controllers.agents, daemon.controllers.reconciler)
        var looks = agents.wakeups.stream(for: session.machine).makeAsyncIterator()
        await looks.next()
        _ = try await reconciler.stepper.settle(session.machine)
        #expect(try await order(of: session, in: store) == lost.id)

        async let next = agents.nextOrder(for: session)
        await looks.next()
        _ = try await reconciler.stepper.settle(session.machine)
        let order = try #require(await next.signed).verified(by: keys.order.publicKey)
        #expect(order.id != lost.id)
        #expect(try await self.order(of: session, in: store) == order.id)
    }

    @Test(
        "a power command that did nothing is given again when the agent of before calls after its time, whoever looks first"
    )
    func ignoredCommand() async throws {
        let (chassis, clock) = (BootDeviceTests.Chassis(), WipeFlowTests.MovingClock())
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(store, keys: keys, bmcs: chassis, now: clock.now)
        let report = Flow.report(holdsData: true)
        let id = try await Flow.boot(daemon, report: report).machine
        let setting = BMCSetting(.init(address: "10.0.0.9", kind: .ipmi, username: "admin"), password: "p")
        _ = try await daemon.controllers.machines.accept(
            id, name: "node-1", bmc: setting, network: nil, generation: nil, by: "alice")
        try #require(await eventually { try await Flow.phase(store) == .available })
        _ = try await daemon.controllers.machines.begin(.init(.wipe), on: id, generation: nil, by: "alice")
        // It restarts by itself: nobody knows what this agent is.
        let stranger = try await Flow.boot(daemon, report: Flow.report(bootID: "boot-2", holdsData: true))
        func cycles() -> Int { chassis.heard.count { $0 == "cycle" } }
        try #require(await eventually { cycles() == 1 })
        await daemon.kill()

        // The lifecycle looks when this test says so.
        let (controllers, stepper) = (daemon.controllers, daemon.controllers.reconciler.stepper)
        let command = try #require(try await store.get(Machine.self, id)?.observed.powerCommandAt)
        func call(at seconds: Double) {
            clock.move(by: command.addingTimeInterval(seconds).timeIntervalSince(clock.now()))
            controllers.board.noteCall(stranger.id, at: clock.now())
        }
        call(at: Lifecycle.restartPatience - 10)
        clock.move(by: 20)
        let due: Date = try #require(try await stepper.settle(id))
        #expect(cycles() == 1 && due.timeIntervalSince(clock.now()) < 65)
        call(at: Lifecycle.restartPatience + 20)
        clock.move(by: due.timeIntervalSince(clock.now()))
        _ = try await stepper.settle(id)
        #expect(cycles() == 2)
    }

    private func order(of session: AgentSession, in store: any RecordStore) async throws -> String? {
        guard let operation = try await store.get(Machine.self, session.machine)?.observed.operation else { return nil }
        return try await store.get(Operation.self, operation)?.order?.id
    }
}
