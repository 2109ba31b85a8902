import IPMI
import Machines
import Synchronization

/// A serial console while it is open: what is typed goes through a queue to the one task that has the session.
final class IPMIConsole: SerialConsole {
    enum Typing { case bytes([UInt8]), lineBreak }

    /// Whoever waits until what was typed is with the BMC.
    private struct Waiter {
        var id: Int
        var typing: Typing
        /// Bytes and breaks that are not yet with the BMC.
        var left: Int
        /// Nil: nobody waits any more.
        var done: CheckedContinuation<Void, any Error>?
    }

    private struct State {
        var queue: [Waiter] = []
        /// Given to the line.
        var underWay: [Waiter] = []
        var nextID = 0
        /// Printed, and without room in the stream.
        var held: [UInt8] = []
        var end: (any Error)?
        var isOver = false
        var isLeft = false
    }

    let output: AsyncThrowingStream<[UInt8], any Error>
    private let printed: AsyncThrowingStream<[UInt8], any Error>.Continuation
    private let state = Mutex(State())
    private let wake: @Sendable () -> Void
    private let address: String
    /// Packets that wait for whoever reads.
    private static let room = 1024

    init(address: String, wake: @escaping @Sendable () -> Void) {
        (self.address, self.wake) = (address, wake)
        (output, printed) = AsyncThrowingStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingOldest(Self.room))
    }

    func send(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await type(.bytes(bytes))
    }

    func sendBreak() async throws { try await type(.lineBreak) }

    private func type(_ typing: Typing) async throws {
        let count = if case .bytes(let bytes) = typing { bytes.count } else { 1 }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
                let error: (any Error)? = state.withLock { state in
                    // A cancellation before this is seen here, one after it finds the waiter.
                    if Task.isCancelled { return CancellationError() }
                    guard !state.isOver else { return state.end ?? closed }
                    state.queue.append(Waiter(id: id, typing: typing, left: count, done: done))
                    return nil
                }
                if let error { done.resume(throwing: error) } else { wake() }
            }
        } onCancel: {
            forget(id)
        }
    }

    /// Nobody waits for it any more. What the line has of it is typed all the same.
    private func forget(_ id: Int) {
        let done = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            if let index = state.queue.firstIndex(where: { $0.id == id }) { return state.queue.remove(at: index).done }
            guard let index = state.underWay.firstIndex(where: { $0.id == id }) else { return nil }
            defer { state.underWay[index].done = nil }
            return state.underWay[index].done
        }
        done?.resume(throwing: CancellationError())
    }

    private var closed: BMCError {
        BMCError(address: address, doing: "type on the console", reason: .refused, "the console is closed")
    }

    /// What is to be typed now.
    func typed() -> [Typing] {
        state.withLock { state in
            defer { state.queue = [] }
            state.underWay += state.queue
            return state.queue.map(\.typing)
        }
    }

    /// So many bytes and breaks are with the BMC.
    func taken(_ count: Int) {
        let done: [CheckedContinuation<Void, any Error>] = state.withLock { state in
            var (left, done) = (count, [CheckedContinuation<Void, any Error>]())
            while left > 0, let first = state.underWay.first {
                let part = min(left, first.left)
                left -= part
                state.underWay[0].left -= part
                if state.underWay[0].left == 0, let over = state.underWay.removeFirst().done { done.append(over) }
            }
            return done
        }
        for continuation in done { continuation.resume() }
    }

    func prints(_ bytes: [UInt8]) {
        state.withLock { $0.held += bytes }
        _ = hasRoom
    }

    /// False while nobody reads: what the machine says now is not acknowledged, and the BMC holds it back for a while.
    var hasRoom: Bool {
        // Its line alone prints. Not under the lock: whoever wakes a reader waits for the lock of its task, which a canceller of both holds while a typer
        // of that task is forgotten.
        let held = state.withLock { $0.held }
        guard !held.isEmpty else { return true }
        if case .dropped = printed.yield(held) { return false }
        state.withLock { $0.held.removeFirst(held.count) }
        return true
    }

    /// Whoever had it is done with it.
    func leave() {
        state.withLock { $0.isLeft = true }
        wake()
    }

    var isLeft: Bool { state.withLock { $0.isLeft } }

    /// - Parameter error: nil at the end of the caller's own body.
    func end(_ error: (any Error)?) {
        let waiting: [CheckedContinuation<Void, any Error>] = state.withLock { state in
            guard !state.isOver else { return [] }
            (state.isOver, state.end) = (true, error)
            defer { (state.queue, state.underWay) = ([], []) }
            return (state.queue + state.underWay).compactMap(\.done)
        }
        for continuation in waiting { continuation.resume(throwing: error ?? closed) }
        printed.finish(throwing: error)
    }
}
