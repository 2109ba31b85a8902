import Crypto
import Foundation
import Machines
import Store
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

    private func order(of session: AgentSession, in store: any RecordStore) async throws -> String? {
        guard let operation = try await store.get(Machine.self, session.machine)?.observed.operation else { return nil }
        return try await store.get(Operation.self, operation)?.order?.id
    }
}
