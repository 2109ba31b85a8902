/// One at a time for each name, in the order of asking. A waiter that is cancelled leaves the queue.
actor Turns {
    private struct Waiter {
        var id: Int
        var continuation: CheckedContinuation<Bool, Never>
    }

    private var queues: [String: [Waiter]] = [:]
    private var busy: Set<String> = []
    private var nextID = 0

    func take<Result: Sendable>(_ name: String, _ body: @Sendable () async throws -> Result) async throws -> Result {
        guard await enter(name) else { throw CancellationError() }
        defer { leave(name) }
        return try await body()
    }

    private func enter(_ name: String) async -> Bool {
        guard busy.contains(name) else {
            busy.insert(name)
            return true
        }
        nextID += 1
        let id = nextID
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume(returning: false) }
                queues[name, default: []].append(Waiter(id: id, continuation: continuation))
            }
        } onCancel: {
            Task { await self.cancel(id, name) }
        }
    }

    private func leave(_ name: String) {
        guard var queue = queues[name], !queue.isEmpty else {
            queues[name] = nil
            busy.remove(name)
            return
        }
        let next = queue.removeFirst()
        queues[name] = queue
        next.continuation.resume(returning: true)
    }

    private func cancel(_ id: Int, _ name: String) {
        guard let index = queues[name]?.firstIndex(where: { $0.id == id }) else { return }
        queues[name]?.remove(at: index).continuation.resume(returning: false)
    }
}
