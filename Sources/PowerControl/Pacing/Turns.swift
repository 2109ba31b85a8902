import Synchronization

/// One at a time for each name, in the order of asking but for what is urgent. A waiter that is cancelled leaves the queue.
final class Turns: Sendable {
    /// Of one name; more are turned away, but for what is urgent.
    static let mostWaiting = 8

    /// So many wait that another one is turned away.
    struct Full: Error {}

    private enum Entry { case first, cancelled, full }

    private struct Waiter {
        var id: Int
        var isUrgent: Bool
        var continuation: CheckedContinuation<Entry, Never>
    }

    private struct State {
        var queues: [String: [Waiter]] = [:]
        var busy: Set<String> = []
        /// Waiters that were cancelled before they stood in the queue.
        var cancelled: Set<Int> = []
        var nextID = 0
    }

    private let state = Mutex(State())

    /// - Parameter isUrgent: goes ahead of those that wait and are not.
    /// - Throws: ``Full``, and what `body` throws.
    func take<Result: Sendable>(
        _ name: String, isUrgent: Bool, _ body: @Sendable () async throws -> Result
    ) async throws -> Result {
        switch await enter(name, isUrgent) {
        case .first: break
        case .cancelled: throw CancellationError()
        case .full: throw Full()
        }
        defer { leave(name) }
        return try await body()
    }

    func waiting(_ name: String) -> Int { state.withLock { $0.queues[name]?.count ?? 0 } }

    private func enter(_ name: String, _ isUrgent: Bool) async -> Entry {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        defer { state.withLock { _ = $0.cancelled.remove(id) } }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Entry? = state.withLock { state in
                    if state.cancelled.contains(id) { return .cancelled }
                    if state.busy.insert(name).inserted { return .first }
                    let queue = state.queues[name] ?? []
                    guard isUrgent || queue.count < Self.mostWaiting else { return .full }
                    let waiter = Waiter(id: id, isUrgent: isUrgent, continuation: continuation)
                    let place = isUrgent ? queue.firstIndex { !$0.isUrgent } ?? queue.endIndex : queue.endIndex
                    state.queues[name, default: []].insert(waiter, at: place)
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
        next?.continuation.resume(returning: .first)
    }

    private func cancel(_ id: Int, _ name: String) {
        let waiter = state.withLock { state -> Waiter? in
            guard let index = state.queues[name]?.firstIndex(where: { $0.id == id }) else {
                state.cancelled.insert(id)
                return nil
            }
            return state.queues[name]?.remove(at: index)
        }
        waiter?.continuation.resume(returning: .cancelled)
    }
}
