import NIOCore
import Synchronization

/// Gives turns to everybody who fetches an image, over all connections and event loops of the daemon.
final class ImageTurns: Sendable {
    private struct State {
        var turns: FairTurns<EventLoopPromise<Void>>
        /// Somebody looks again when there may be more turns.
        var isTimed = false
    }

    /// Bytes of a file in one turn: few where a rate is to be even.
    let pieceBytes: Int64
    private let state: Mutex<State>

    /// From one connection to the next: a loop looks at all its other sockets in between, and on no line is a piece gone earlier.
    private static let handover = TimeAmount.microseconds(100)
    private static var now: Double { Double(NIODeadline.now().uptimeNanoseconds) / 1e9 }

    init(_ limits: ImageLimits) {
        pieceBytes = limits.bytesPerSecond == nil ? 1 << 20 : 256 << 10
        state = Mutex(State(turns: FairTurns(limits, now: Self.now)))
    }

    /// Succeeds when so many bytes of an address may leave; ``ended(_:on:)`` follows in any case.
    func turn(of address: String, bytes: Int, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let own = loop.makePromise(of: Void.self)
        change(on: loop, asking: own) { $0.ask(own, of: address, bytes: bytes, now: $1) }
        return own.futureResult
    }

    func ended(_ address: String, on loop: any EventLoop) { change(on: loop) { $0.ended(address, now: $1) } }

    private func change(
        on loop: any EventLoop, asking own: EventLoopPromise<Void>? = nil,
        _ body: (inout FairTurns<EventLoopPromise<Void>>, Double) -> Void
    ) {
        let now = Self.now
        let (granted, again) = state.withLock { state -> ([EventLoopPromise<Void>], Double?) in
            body(&state.turns, now)
            let (granted, again) = state.turns.next(now: now)
            guard let again, !state.isTimed else { return (granted, nil) }
            state.isTimed = true
            return (granted, again)
        }
        for promise in granted {
            if promise.futureResult === own?.futureResult {
                promise.succeed()
            } else {
                promise.futureResult.eventLoop.scheduleTask(in: Self.handover) { promise.succeed() }
            }
        }
        guard let again else { return }
        loop.scheduleTask(in: .nanoseconds(Int64(again * 1e9))) {
            self.state.withLock { $0.isTimed = false }
            self.change(on: loop) { _, _ in }
        }
    }
}
