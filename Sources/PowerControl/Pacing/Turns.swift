import Synchronization

/// One at a time for each name, in the order of asking. A waiter that is cancelled leaves the queue.
final class Turns: Sendable {
    private struct Waiter {
        var id: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var queues: [String: [Waiter]] = [:]
        var busy: Set<String> = []
        /// Waiters that were cancelled before they stood in the queue.
        var cancelled: Set<Int> = []
        var nextID = 0
    }

    private let state = Mutex(State())

    func take<Result: Sendable>(_ name: String, _ body: @Sendable () async throws -> Result) async throws -> Result {
        guard await enter(name) else { throw CancellationError() }
        defer { leave(name) }
        return try await body()
    }

    private func enter(_ name: String) async -> Bool {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.cancelled.contains(id) { return false }
                    if state.busy.insert(name).inserted { return true }
                    state.queues[name, default: []].append(Waiter(id: id, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            cancel(id, name)
        }
    }

    private func leave(_ name: String) {
        let next = state.withLock { state -> Waiter? in
            guard let next = state.queues[name]?.first else {
                state.queues[name] = nil
                state.busy.remove(name)
                return nil
            }
            state.queues[name]?.removeFirst()
            return next
        }
        next?.continuation.resume(returning: true)
    }

    private func cancel(_ id: Int, _ name: String) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.queues[name]?.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.queues[name]?.remove(at: index)
        }
        waiter?.continuation.resume(returning: false)
    }
}
