import Synchronization

/// So many do something at once; the others wait for a place, in the order in which they came.
final class Places: Sendable {
    private struct State {
        var free: Int
        /// By their numbers, which count up.
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
        /// Nobody who waits has a smaller number; the number of who comes next.
        var first = 0
        var next = 0

        /// Who comes first, if anybody waits.
        mutating func takeFirst() -> CheckedContinuation<Bool, Never>? {
            while first < next {
                defer { first += 1 }
                if let found = waiting.removeValue(forKey: first) { return found }
            }
            return nil
        }
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    /// - Throws: `CancellationError` when it is cancelled before it had its place; what `body` throws.
    func withPlace<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async throws {
        let number: Int? = state.withLock { state in
            guard state.free == 0 else {
                state.free -= 1
                return nil
            }
            state.next += 1
            return state.next - 1
        }
        guard let number else { return }
        let isIn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: (CheckedContinuation<Bool, Never>, Bool)? = state.withLock { state in
                    // A place that fell free before we waited passed us by.
                    if state.free > 0 {
                        state.free -= 1
                        return (continuation, true)
                    }
                    guard !Task.isCancelled else { return (continuation, false) }
                    state.waiting[number] = continuation
                    // Those who came later may have been let in or gone by meanwhile.
                    state.first = min(state.first, number)
                    return nil
                }
                if let (continuation, isIn) = answer { continuation.resume(returning: isIn) }
            }
        } onCancel: {
            let waiting = state.withLock { $0.waiting.removeValue(forKey: number) }
            waiting?.resume(returning: false)
        }
        guard isIn else { throw CancellationError() }
    }

    private func leave() {
        let next = state.withLock { state in
            let next = state.takeFirst()
            if next == nil { state.free += 1 }
            return next
        }
        next?.resume(returning: true)
    }
}
