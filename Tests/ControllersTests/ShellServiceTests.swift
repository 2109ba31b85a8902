import APIModel
import Foundation
import Machines
import Store
import TestSupport
import Testing

@testable import Controllers

@Suite(.timeLimit(.minutes(2))) struct ShellServiceTests {
    private typealias Flow = LifecycleFlowTests

    /// A rescue whose order an agent has.
    private func with(
        clock: WipeFlowTests.MovingClock = .init(),
        _ body: (_ daemon: Flow.Daemon, _ store: any RecordStore, _ order: Order, _ session: AgentSession) async throws
            -> Void
    ) async throws {
        let (store, keys) = (try await Flow.store(), Flow.Keys())
        let daemon = Flow.Daemon(store, keys: keys, now: clock.now)
        let session = try await WipeFlowTests.available(daemon, store)
        _ = try await daemon.controllers.machines.begin(
            .init(.rescue, rescueSeconds: 600), on: session.machine, generation: nil, by: "alice")
        let order = try await Flow.poll(daemon, session, keys: keys)
        guard case .shell(let shell) = order.task else { throw Flow.Unexpected("no shell") }
        #expect((590...600).contains(shell.seconds))
        try await body(daemon, store, order, session)
        await daemon.kill()
    }

    private func output(_ text: String, at position: Int64, oldest: Int64? = nil, end: String? = nil) -> ShellOutput {
        ShellOutput(position: position, oldest: oldest ?? position, data: Data(text.utf8), end: end)
    }

    private func types(_ store: any RecordStore) async throws -> [Event.Kind] {
        try await store.list(Event.self).items.map(\.type).filter {
            [.shellOpened, .shellAttached, .shellEnded].contains($0)
        }
    }

    @Test("only the session that holds the order has a shell, and only that order's")
    func holder() async throws {
        try await with { daemon, store, order, session in
            let shells = daemon.controllers.shells
            let other = AgentSession(
                id: "s-other", machine: session.machine, mac: session.mac, tokenHash: "", address: "10.0.0.9",
                bootID: "b", agentVersion: "1", openedAt: Date(), trust: .powerCommand)
            for (id, from) in [(order.id, other), ("order-of-another", session)] {
                let taken = try await shells.take(output("x", at: 0), order: id, from: from)
                let input = try await shells.input(order: id, epoch: "", after: 0, from: from)
                #expect(taken.isOver && input.isOver)
            }
            #expect(try await store.list(ShellRecording.self).items.isEmpty)
            for bad in [
                output("x", at: -1), output("x", at: .max), output(String(repeating: "x", count: 40_000), at: 0),
                output("x", at: 0, end: String(repeating: "x", count: 300)),
            ] {
                await #expect(throws: ServiceError.self) {
                    try await shells.take(bad, order: order.id, from: session)
                }
            }
            // Once it is open, nobody else has it either.
            #expect(try await !shells.take(output("hi", at: 0), order: order.id, from: session).isOver)
            #expect(try await shells.take(output("x", at: 2), order: order.id, from: other).isOver)
            #expect(try await shells.recordings(of: session.machine).map(\.tail) == [Data("hi".utf8)])
        }
    }

    @Test("keys come once, in order, also when an answer was lost")
    func input() async throws {
        try await with { daemon, store, order, session in
            let shells = daemon.controllers.shells
            let machine = try #require(try await store.get(Machine.self, session.machine))
            await #expect(throws: ServiceError.self) { try await shells.type(Data("x".utf8), to: machine, by: "bob") }
            let first = try await shells.input(order: order.id, epoch: "", after: 0, from: session)
            #expect(first.data.isEmpty && first.next == 0 && !first.isOver)
            try await shells.type(Data("ls".utf8), to: machine, by: "bob")
            let second = try await shells.input(order: order.id, epoch: first.epoch, after: 0, from: session)
            #expect(second.data == Data("ls".utf8) && second.next == 2)
            try await shells.type(Data("\r".utf8), to: machine, by: "bob")
            let again = try await shells.input(order: order.id, epoch: first.epoch, after: 0, from: session)
            #expect(again.data == Data("ls\r".utf8), "the answer before was lost")
            // A call that waits is woken.
            async let waiting = shells.input(order: order.id, epoch: first.epoch, after: 3, from: session)
            shells.resize(machine, to: TerminalSize(rows: 10, columns: 20))
            #expect(try await waiting.size == TerminalSize(rows: 10, columns: 20))
            // An agent that does not fetch is no bottomless well.
            await #expect(throws: ServiceError.self) {
                for _ in 0..<100 { try await shells.type(Data(repeating: 65, count: 4096), to: machine, by: "bob") }
            }
        }
    }

    @Test("a daemon that was killed asks again for what it had not written down")
    func killed() async throws {
        try await with { daemon, store, order, session in
            let shells = daemon.controllers.shells
            _ = try await shells.take(output("abc", at: 0), order: order.id, from: session)
            // Another daemon on the same store, which has the recording as it was opened.
            let next = ShellService(
                store: store, installation: shells.installation, logger: shells.logger, now: { Date() })
            let reply = try await next.take(output("def", at: 3, oldest: 0), order: order.id, from: session)
            #expect(reply.next == 0 && !reply.isOver)
            let whole = try await next.take(output("abcdef", at: 0), order: order.id, from: session)
            #expect(whole.next == 6)
            // What the agent has not any more is lost, and the end waits for nothing.
            let end = try await next.take(output("z", at: 100, end: ShellReason.left), order: order.id, from: session)
            #expect(end.isOver)
            let recordings = try await next.recordings(of: session.machine)
            let text = String(decoding: recordings.first?.tail ?? Data(), as: UTF8.self)
            #expect(recordings.count == 1 && text.hasPrefix("abcdef") && text.contains("94 bytes of output are lost"))
            #expect(recordings.first?.endedAt != nil && recordings.first?.end == "somebody left it")
            #expect(try await types(store) == [.shellOpened, .shellEnded])
            // It does not come back.
            #expect(try await next.take(output("x", at: 101), order: order.id, from: session).isOver)
        }
    }

    @Test("an order that is void ends the shell: people are told, and the agent is", arguments: [false, true])
    func ended(byTime: Bool) async throws {
        let clock = WipeFlowTests.MovingClock()
        try await with(clock: clock) { daemon, store, order, session in
            let shells = daemon.controllers.shells
            _ = try await shells.take(output("$ ", at: 0), order: order.id, from: session)
            let machine = try #require(try await store.get(Machine.self, session.machine))
            let seen = try await shells.attach(machine, by: "bob")
            try await withThrowingTaskGroup(of: Void.self) { group in
                let operation = try #require(machine.observed.operation)
                if byTime {
                    clock.move(by: 601)
                    // The lifecycle may have gone on before the shell is looked at.
                    let isOver = try await eventually { try await Flow.phase(store) == .available }
                    #expect(isOver)
                } else {
                    _ = try await daemon.controllers.operations.abort(operation, by: "bob")
                }
                group.addTask { try await shells.run() }
                var last: ConsoleHub.Output?
                for await output in seen { last = output }
                guard case .end(let words) = last else { throw Flow.Unexpected("no end: \(String(describing: last))") }
                #expect(words.contains(byTime ? "its time is over" : "bob ended it"), "\(words)")
                group.cancelAll()
            }
            #expect(try await shells.input(order: order.id, epoch: "", after: 0, from: session).isOver)
            #expect(try await types(store) == [.shellOpened, .shellAttached, .shellEnded])
            let isBack = try await eventually { try await Flow.phase(store) == .available }
            #expect(isBack)
            let now = try #require(try await store.get(Machine.self, session.machine))
            await #expect(throws: ServiceError.self) { try await shells.attach(now, by: "bob") }
        }
    }

    @Test(
        "an agent that was to hold a shell is trusted no more, whatever it says became of it", arguments: [true, false])
    func voided(isRefused: Bool) async throws {
        try await with { daemon, store, order, session in
            let outcome: OrderResult.Outcome =
                isRefused ? .failed("there is no shell") : .succeeded(entry: "none")
            try await daemon.controllers.agents.finish(
                OrderResult(outcome: outcome), order: order.id, from: session)
            let isOver = try await eventually { try await Flow.phase(store) == (isRefused ? .failed : .available) }
            #expect(isOver)
            let now = try #require(try await store.get(AgentSession.self, session.id))
            #expect(now.voided && now.trust == nil)
        }
    }
}
