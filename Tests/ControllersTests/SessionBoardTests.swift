import Crypto
import Foundation
import Machines
import TestSupport
import Testing

@testable import Controllers

/// How agents wait for orders.
@Suite(.timeLimit(.minutes(1))) struct SessionBoardTests {
    private let board = SessionBoard(startedAt: Date(), waitingLimit: 1)
    private let order = SignedOrder(payload: Data([1]), signature: Data())

    private func ask(_ session: String, seconds: Int = 60) async -> SessionBoard.Poll {
        await board.nextOrder(for: session, seconds: seconds) {}
    }

    @Test("whom there is no room for is sent away, counts as idle, and gets its order when it asks again")
    func later() async throws {
        async let first = ask("a")
        let isWaiting = await eventually { board.isIdle("a") }
        #expect(isWaiting)
        guard case .later = await ask("b") else { throw Unexpected() }
        #expect(board.isIdle("b"))
        board.deliver(order, order: "o-1", to: "b")
        #expect(!board.isIdle("b"))
        #expect(await ask("b").signed == order)
        #expect(!board.isIdle("b"))

        board.deliver(order, order: "o-2", to: "a")
        #expect(await first.signed == order)
        // There is room again.
        guard case .nothing = await ask("b", seconds: 0) else { throw Unexpected() }
        #expect(!board.isIdle("b"))
    }

    @Test("who waits already takes its own place")
    func again() async throws {
        async let former = ask("a")
        let isWaiting = await eventually { board.isIdle("a") }
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
