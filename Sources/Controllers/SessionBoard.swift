import APIModel
import FoundationEssentials
import Machines
import Synchronization

/// What is known of agent sessions between two writes of the store: who called when, who waits, how far the work is.
/// Soft state: a daemon that starts anew learns it again from the agents' next calls.
public final class SessionBoard: Sendable {
    private struct Entry {
        var lastCall: Date
        /// It asked for an order, got none since, and waits or will ask again.
        var isIdle = false
        /// Seconds for which it was sent away; nil: it was not.
        var away: Int?
        var pending: (order: String, signed: SignedOrder)?
        var progress: OrderProgress?
        var isOrdered = false
        var order: String?
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var waiting: [String: Waiter] = [:]
        var calls = 0
    }

    private struct Waiter {
        /// Which call it is: who asks again takes its own place.
        var call: Int
        var continuation: CheckedContinuation<SignedOrder?, Never>
    }

    /// What a call for orders comes to.
    public enum Poll: Sendable {
        case order(SignedOrder)
        /// There was none in the time of a poll.
        case nothing
        /// There is none, and no room to wait: ask again in about so many seconds.
        case later(Int)
    }

    /// Calls a second from all that were sent away: each is a TLS handshake.
    private static let callRate = 100

    private let state = Mutex(State())
    private let startedAt: Date
    private let waitingLimit: Int

    /// - Parameter waitingLimit: how many may wait at a time: each holds a connection, which costs 100 KiB.
    public init(startedAt: Date, waitingLimit: Int = 1000) {
        (self.startedAt, self.waitingLimit) = (startedAt, waitingLimit)
    }

    /// A call of this session arrived.
    func noteCall(_ session: String, at now: Date) {
        state.withLock { state in
            var entry = state.entries[session] ?? Entry(lastCall: now)
            // It was given up: that it waits is news again.
            if now >= Self.expiry(of: entry.lastCall, away: entry.away) { entry.isIdle = false }
            entry.lastCall = now
            state.entries[session] = entry
        }
    }

    /// The session called lately. After a start of the daemon every open session has its patience again.
    func isLive(_ session: AgentSession, at now: Date) -> Bool {
        guard !session.voided, session.leftAt == nil else { return false }
        return now < expiry(of: session)
    }

    /// When an idle or silent session stops counting as live.
    func expiry(of session: AgentSession) -> Date {
        let entry = state.withLock { $0.entries[session.id] }
        return Self.expiry(of: entry?.lastCall ?? max(session.openedAt, startedAt), away: entry?.away)
    }

    private static func expiry(of call: Date, away seconds: Int?) -> Date {
        call.addingTimeInterval(AgentSession.patience + Double(seconds ?? 0) * AgentPace.jitter.upperBound)
    }

    /// Its last call that this daemon heard.
    func lastCall(of session: AgentSession) -> Date? { state.withLock { $0.entries[session.id]?.lastCall } }

    /// It asked for an order, and none is on its way.
    func isIdle(_ session: String) -> Bool { state.withLock { $0.entries[session]?.isIdle ?? false } }

    /// It called since this daemon began, and was given no order since.
    func isUnordered(_ session: String) -> Bool {
        state.withLock { $0.entries[session].map { !$0.isOrdered } ?? false }
    }

    /// Whether the session's newest order was this one, and had not ended.
    func endOrder(_ order: String, of session: String) -> Bool {
        state.withLock { state in
            guard state.entries[session]?.order == order else { return false }
            state.entries[session]?.order = nil
            return true
        }
    }

    /// Gives the session an order: at once if it waits for one, at its next call otherwise.
    func deliver(_ signed: SignedOrder, order: String, to session: String) {
        let waiter = state.withLock { state -> CheckedContinuation<SignedOrder?, Never>? in
            var entry = state.entries[session] ?? Entry(lastCall: startedAt)
            (entry.progress, entry.isOrdered, entry.isIdle, entry.order) = (nil, true, false, order)
            let waiter = state.waiting.removeValue(forKey: session)?.continuation
            if waiter == nil { entry.pending = (order, signed) }
            state.entries[session] = entry
            return waiter
        }
        waiter?.resume(returning: signed)
    }

    /// The next order: waits `seconds` for it, or until the caller goes away.
    /// - Parameter onWait: called when the session was busy before, or unknown, and is idle now.
    func nextOrder(for session: String, seconds: Int, onWait: @escaping @Sendable () -> Void) async -> Poll {
        let (call, isNews, away) = state.withLock { state -> (Int, Bool, Int?) in
            var entry = state.entries[session] ?? Entry(lastCall: startedAt)
            let isNews = entry.pending == nil && !entry.isIdle
            // Who did something until now has the next thing to do soon, more often than not.
            let limit = isNews ? waitingLimit * 3 / 2 : waitingLimit
            let isFull = entry.pending == nil && state.waiting[session] == nil && state.waiting.count >= limit
            entry.isIdle = entry.pending == nil
            entry.away = isFull ? max(seconds, state.entries.count / Self.callRate) : nil
            state.entries[session] = entry
            state.calls += 1
            return (state.calls, isNews, entry.away)
        }
        if let away {
            if isNews { onWait() }
            return .later(away)
        }
        let order = await withTaskGroup(of: SignedOrder?.self) { group in
            group.addTask { await self.wait(session, call) { if isNews { onWait() } } }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                self.release(session, call)
                return nil
            }
            var order: SignedOrder?
            // Both are awaited: an order that comes in the instant in which the time is up is not lost.
            for await result in group {
                order = order ?? result
                self.release(session, call)
                group.cancelAll()
            }
            return order
        }
        // Who is cut off may be gone for good.
        if order == nil, Task.isCancelled { state.withLock { $0.entries[session]?.isIdle = false } }
        return order.map(Poll.order) ?? .nothing
    }

    private func wait(_ session: String, _ call: Int, _ onWait: () -> Void) async -> SignedOrder? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (former, pending) = state.withLock {
                    state -> (CheckedContinuation<SignedOrder?, Never>?, SignedOrder?) in
                    if let pending = state.entries[session]?.pending {
                        state.entries[session]?.pending = nil
                        return (nil, pending.signed)
                    }
                    let waiter = Waiter(call: call, continuation: continuation)
                    return (state.waiting.updateValue(waiter, forKey: session)?.continuation, nil)
                }
                former?.resume(returning: nil)
                guard pending == nil else { return continuation.resume(returning: pending) }
                onWait()
                // Its time was up before it waited.
                if Task.isCancelled { release(session, call) }
            }
        } onCancel: {
            release(session, call)
        }
    }

    private func release(_ session: String, _ call: Int) {
        let waiter = state.withLock { state in
            state.waiting[session]?.call == call ? state.waiting.removeValue(forKey: session) : nil
        }
        waiter?.continuation.resume(returning: nil)
    }

    func note(_ progress: OrderProgress?, of session: String) {
        state.withLock { $0.entries[session]?.progress = progress }
    }

    /// What the agent last said of its work.
    public func progress(of session: String) -> OrderProgress? { state.withLock { $0.entries[session]?.progress } }

    /// The same of every session that works.
    public func progressOfAll() -> [String: OrderProgress] {
        state.withLock { $0.entries.compactMapValues(\.progress) }
    }

    func forget(_ session: String) {
        let waiter = state.withLock { state in
            state.entries[session] = nil
            return state.waiting.removeValue(forKey: session)
        }
        waiter?.continuation.resume(returning: nil)
    }
}
