import NIOConcurrencyHelpers

/// Hands values from one thread to the next, a few at a time; a stage that falls behind holds up the one before it.
final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var items: [Element] = []
        var closed = false
        var failure: (any Error)?
    }

    private let state = NIOLockedValueBox(State())
    private let capacity: Int
    /// 1: there may be something to do for somebody.
    private let changed = ConditionLock(value: 0)

    init(capacity: Int) { self.capacity = capacity }

    /// Waits for room. False when nobody takes any more: the work was given up.
    func put(_ item: Element) -> Bool {
        while true {
            let done: Bool? = state.withLockedValue { state in
                if state.failure != nil || state.closed { return false }
                guard state.items.count < capacity else { return nil }
                state.items.append(item)
                return true
            }
            if let done {
                if done { signal() }
                return done
            }
            wait()
        }
    }

    /// Waits for an item; nil after the last one.
    /// - Throws: the error with which the work was given up.
    func take() throws -> Element? {
        while true {
            let result: Result<Element?, any Error>? = state.withLockedValue { state in
                if let failure = state.failure { return .failure(failure) }
                if !state.items.isEmpty { return .success(state.items.removeFirst()) }
                return state.closed ? .success(nil) : nil
            }
            if let result {
                signal()
                return try result.get()
            }
            wait()
        }
    }

    /// No more items will come.
    func close() {
        state.withLockedValue { $0.closed = true }
        signal()
    }

    /// Nothing more is taken.
    var isGivenUp: Bool { state.withLockedValue { $0.failure != nil } }

    /// Gives the work up on both sides.
    func fail(_ error: any Error) {
        state.withLockedValue { state in
            if state.failure == nil { state.failure = error }
        }
        signal()
    }

    private func signal() {
        changed.lock()
        changed.unlock(withValue: 1)
    }

    private func wait() {
        // A short limit instead of proof that no wake-up is lost between look and wait; it costs nothing while bytes flow.
        if changed.lock(whenValue: 1, timeoutSeconds: 0.05) { changed.unlock(withValue: 0) }
    }
}
