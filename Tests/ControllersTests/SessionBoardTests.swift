import Crypto
import Foundation
import Machines
import NetworkAddresses
import Synchronization
import TestSupport
import Testing

@testable import Controllers

/// How agents wait for orders.
@Suite(.timeLimit(.minutes(1))) struct SessionBoardTests {
    private let board = SessionBoard(startedAt: Date(), waitingLimit: 2)
    private let order = SignedOrder(payload: Data([1]), signature: Data())

    private final class Told: Sendable { let times = Mutex<[String: Int]>([:]) }
    private let told = Told()

    private func ask(_ session: String, seconds: Int = 60) async -> SessionBoard.Poll {
        await board.nextOrder(for: session, seconds: seconds) { [told] in
            told.times.withLock { $0[session, default: 0] += 1 }
        }
    }

    private func waits(_ session: String) async -> Bool {
        await eventually { told.times.withLock { $0[session] != nil } }
    }

    @Test("whom there is no room for is sent away, counts as idle, and gets its order when it asks again")
    func later() async throws {
        async let first = ask("a")
        async let second = ask("c")
        for session in ["a", "c"] { #expect(await waits(session)) }
        guard case .nothing = await ask("b", seconds: 0) else { throw Unexpected() }
        guard case .later(60) = await ask("b") else { throw Unexpected() }
        #expect(board.isIdle("b"))
        board.deliver(order, order: "o-1", to: "b")
        #expect(!board.isIdle("b"))
        #expect(await ask("b").signed == order)
        #expect(!board.isIdle("b"))

        board.deliver(order, order: "o-2", to: "a")
        board.deliver(order, order: "o-3", to: "c")
        #expect(await first.signed == order)
        #expect(await second.signed == order)
        // There is room again.
        guard case .nothing = await ask("b", seconds: 0) else { throw Unexpected() }
    }

    @Test("the lifecycle is told once of who waits, until it got something to do")
    func told() async throws {
        for _ in 0..<3 { guard case .nothing = await ask("a", seconds: 0) else { throw Unexpected() } }
        #expect(told.times.withLock { $0["a"] } == 1)
        #expect(board.isIdle("a"))
        board.deliver(order, order: "o-1", to: "a")
        #expect(!board.isIdle("a"))
        #expect(await ask("a").signed == order)
        guard case .nothing = await ask("a", seconds: 0) else { throw Unexpected() }
        #expect(told.times.withLock { $0["a"] } == 2)
    }

    @Test("who was sent away is missed only once it should be back")
    func patience() async throws {
        let now = Date()
        let session = try AgentSession(
            id: "b", machine: "m", mac: #require(MACAddress("02:00:00:00:00:01")), tokenHash: "", address: "10.0.0.1",
            bootID: "b",
            agentVersion: "1", openedAt: now, trust: nil)
        async let first = ask("a")
        async let second = ask("c")
        for session in ["a", "c"] { #expect(await waits(session)) }
        for (seconds, patience) in [(0, 90.0), (100, 90 + 120)] {
            _ = await ask("b", seconds: seconds)
            board.noteCall("b", at: now)
            #expect(board.expiry(of: session) == now.addingTimeInterval(patience))
        }
        board.deliver(order, order: "o-1", to: "a")
        board.deliver(order, order: "o-3", to: "c")
        #expect(await first.signed == order)
        #expect(await second.signed == order)
    }

    @Test("the more are idle the longer they are sent away, and never for longer than five minutes")
    func pace() async throws {
        let crowded = SessionBoard(startedAt: Date(), waitingLimit: 0, callRate: 2)
        for (session, seconds, away) in [
            ("a", 1, 1), ("b", 1, 1), ("c", 1, 1), ("d", 1, 2), ("d", 1, 2), ("e", 900, 300),
        ] {
            guard case .later(away) = await crowded.nextOrder(for: session, seconds: seconds, onWait: {}) else {
                throw Unexpected()
            }
        }
        // Who works is not among them.
        for session in ["a", "b", "c"] { crowded.deliver(order, order: "o-1", to: session) }
        guard case .later(1) = await crowded.nextOrder(for: "d", seconds: 1, onWait: {}) else { throw Unexpected() }
    }

    @Test("who was given up and calls again is news")
    func returned() async throws {
        let now = Date()
        for (after, count) in [(0.0, 1), (89, 1), (89 + 90, 2)] {
            board.noteCall("a", at: now.addingTimeInterval(after))
            guard case .nothing = await ask("a", seconds: 0) else { throw Unexpected() }
            #expect(told.times.withLock { $0["a"] } == count)
        }
    }

    @Test("who is cut off while it waits is not idle")
    func cut() async throws {
        let call = Task { await ask("a") }
        let isWaiting = await waits("a")
        #expect(isWaiting)
        call.cancel()
        _ = await call.value
        #expect(!board.isIdle("a"))
    }

    @Test("who is cut off, but asked again before that was noticed, is idle")
    func cutLate() async throws {
        for _ in 0..<2 { guard case .nothing = await ask("a", seconds: 0) else { throw Unexpected() } }
        board.cutOff("a", 1)
        #expect(board.isIdle("a"))
        board.cutOff("a", 2)
        #expect(!board.isIdle("a"))
    }

    @Test("who waits already takes its own place")
    func again() async throws {
        async let former = ask("a")
        let isWaiting = await waits("a")
        #expect(isWaiting)
        async let latter = ask("a")
        guard case .nothing = await former else { throw Unexpected() }
        board.deliver(order, order: "o-1", to: "a")
        #expect(await latter.signed == order)
    }

    private struct Unexpected: Error {}
}

extension SessionBoard.Poll {
    var signed: SignedOrder? {
        guard case .order(let order) = self else { return nil }
        return order
    }
}
