import FoundationEssentials
import Synchronization

/// Wakes the task that tends one machine: because something changed, or because a time it waited for has come.
final class Wakeups: Sendable {
    private struct Waiter {
        var continuation: AsyncStream<Void>.Continuation
        var due: Date?
    }

    private let waiters = Mutex<[String: Waiter]>([:])

    /// The wake-ups of `machine`; several at once are delivered as one. A second stream for the same machine ends the first.
    func stream(for machine: String) -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let former = waiters.withLock { $0.updateValue(Waiter(continuation: continuation), forKey: machine) }
        former?.continuation.finish()
        continuation.yield()
        return stream
    }

    /// Something changed.
    func wake(_ machine: String) {
        let waiter = waiters.withLock { $0[machine] }
        waiter?.continuation.yield()
    }

    /// Look again at this time; nil: only when something changes.
    func wake(_ machine: String, at due: Date?) { waiters.withLock { $0[machine]?.due = due } }

    /// The machine is gone.
    func end(_ machine: String) {
        let waiter = waiters.withLock { $0.removeValue(forKey: machine) }
        waiter?.continuation.finish()
    }

    /// Wakes everybody whose time has come.
    func tick(_ now: Date) {
        let ripe = waiters.withLock { waiters in
            waiters.compactMap { machine, waiter -> Waiter? in
                guard let due = waiter.due, due <= now else { return nil }
                waiters[machine]?.due = nil
                return waiter
            }
        }
        for waiter in ripe { waiter.continuation.yield() }
    }
}
