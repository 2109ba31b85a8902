import IPMI
import Machines
import Synchronization

/// A serial console while it is open: what is typed goes through a queue to the one task that has the session.
final class IPMIConsole: SerialConsole {
    struct Typing {
        enum What { case bytes([UInt8]), lineBreak }
        var what: What
        var done: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var queue: [Typing] = []
        /// Given to the line, and not yet with the BMC: bytes that are left of each.
        var underWay: [(left: Int, done: CheckedContinuation<Void, any Error>)] = []
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

    private func type(_ what: Typing.What) async throws {
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            let error: (any Error)? = state.withLock { state in
                guard !state.isOver else {
                    return state.end
                        ?? BMCError(
                            address: address, doing: "type on the console", reason: .refused, "the console is closed")
                }
                state.queue.append(Typing(what: what, done: done))
                return nil
            }
            if let error { done.resume(throwing: error) } else { wake() }
        }
    }

    /// What is to be typed now.
    func typed() -> [Typing.What] {
        state.withLock { state in
            defer { state.queue = [] }
            for typing in state.queue {
                let count = if case .bytes(let bytes) = typing.what { bytes.count } else { 1 }
                state.underWay.append((count, typing.done))
            }
            return state.queue.map(\.what)
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
                if state.underWay[0].left == 0 { done.append(state.underWay.removeFirst().done) }
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
        state.withLock { state in
            guard !state.held.isEmpty else { return true }
            if case .dropped = printed.yield(state.held) { return false }
            state.held = []
            return true
        }
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
            return state.queue.map(\.done) + state.underWay.map(\.done)
        }
        let closed = BMCError(address: address, doing: "type on the console", reason: .refused, "the console is closed")
        for continuation in waiting { continuation.resume(throwing: error ?? closed) }
        printed.finish(throwing: error)
    }
}
