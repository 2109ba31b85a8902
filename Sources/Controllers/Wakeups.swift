import FoundationEssentials
import Synchronization

/// Wakes the task that tends one machine: because something changed, or because a time it waited for has come.
final class Wakeups: Sendable {
    /// Tells when an agent counts as silent unless it calls before.
    typealias Silence = @Sendable () -> Date

    private struct Waiter {
        var continuation: AsyncStream<Void>.Continuation
        var due: Date?
        /// When the agent was last known to fall silent, and who knows better by then.
        var silence: (at: Date, ask: Silence)?

        mutating func wait(_ due: Date?, _ silence: (at: Date, ask: Silence)?) {
            (self.due, self.silence) = (due, silence)
        }

        /// Its time has come. An agent that called meanwhile is asked after again later.
        mutating func isRipe(_ now: Date) -> Bool {
            if let due, due <= now { return true }
            guard let silence, silence.at <= now else { return false }
            let later = silence.ask()
            self.silence?.at = later
            return later <= now
        }
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

    /// Look again at this time, or when an agent fell silent, of which nothing changes in the store; nil: only when something changes.
    func wake(_ machine: String, at due: Date?, whenSilent silence: Silence? = nil) {
        let silence = silence.map { ($0(), $0) }
        waiters.withLock { $0[machine]?.wait(due, silence) }
    }

    /// The machine is gone.
    func end(_ machine: String) {
        let waiter = waiters.withLock { $0.removeValue(forKey: machine) }
        waiter?.continuation.finish()
    }

    /// Wakes everybody whose time has come.
    func tick(_ now: Date) {
        let ripe = waiters.withLock { waiters in
            waiters.keys.compactMap { machine -> Waiter? in
                guard waiters[machine]?.isRipe(now) ?? false else { return nil }
                waiters[machine]?.wait(nil, nil)
                return waiters[machine]
            }
        }
        for waiter in ripe { waiter.continuation.yield() }
    }
}
