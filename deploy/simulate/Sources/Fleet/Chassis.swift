import Synchronization

/// A machine's power. Each start has a number: what began in one start ends with it.
final class Chassis: Sendable {
    private struct State {
        var isOn = false
        var start = 0
        var waiters: [Int: (isDue: @Sendable (Bool, Int) -> Bool, continuation: CheckedContinuation<Void, Never>)] = [:]
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    /// Turns it on; one that is on goes on.
    func on() { change { if !$0.isOn { ($0.isOn, $0.start) = (true, $0.start + 1) } } }
    func off() { change { $0.isOn = false } }
    /// Off and on again, or a reset: the same to whatever runs.
    func restart() { change { ($0.isOn, $0.start) = (true, $0.start + 1) } }
    /// The machine restarts by itself, if it still runs in this start.
    func restart(from start: Int) { change { if $0.isOn, $0.start == start { $0.start += 1 } } }

    func isRunning(_ start: Int) -> Bool { state.withLock { $0.isOn && $0.start == start } }

    /// Waits for a start after that one.
    /// - Returns: its number.
    func next(after start: Int) async -> Int {
        await wait { $0 && $1 > start }
        return state.withLock { $0.start }
    }

    /// Waits until this start is over, or the caller is cancelled.
    func end(of start: Int) async { await wait { !$0 || $1 != start } }

    private func change(_ body: (inout State) -> Void) {
        let due = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            body(&state)
            let ripe = state.waiters.filter { $0.value.isDue(state.isOn, state.start) }
            for id in ripe.keys { state.waiters[id] = nil }
            return ripe.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    private func wait(until isDue: @escaping @Sendable (Bool, Int) -> Bool) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled || isDue(state.isOn, state.start) { return true }
                    state.waiters[id] = (isDue, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
        }
    }
}
