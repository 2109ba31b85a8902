import APIModel
import FoundationEssentials
import Machines
import Synchronization

/// What is known of agent sessions between two writes of the store: who called when, who waits, how far the work is.
/// Soft state: a daemon that starts anew learns it again from the agents' next calls.
public final class SessionBoard: Sendable {
    private struct Entry {
        var lastCall: Date
        /// Its newest call for an order.
        var call = 0
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
        /// Who asked for an order, got none since, and waits or will ask again.
        var idle: Set<String> = []
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

    private let state = Mutex(State())
    private let startedAt: Date
    private let waitingLimit: Int
    private let callRate: Int

    /// - Parameters:
    ///   - waitingLimit: from how many that wait on another one is sent away: each holds a connection, which costs 100 KiB. Who did something until now
    ///     may wait up to half as many beyond it.
    ///   - callRate: calls a second, at most about, from all that were sent away: each is a TLS handshake.
    public init(startedAt: Date, waitingLimit: Int = 1000, callRate: Int = 100) {
        (self.startedAt, self.waitingLimit, self.callRate) = (startedAt, waitingLimit, callRate)
    }

    /// A call of this session arrived.
    func noteCall(_ session: String, at now: Date) {
        state.withLock { state in
            var entry = state.entries[session] ?? Entry(lastCall: now)
            // It was given up: that it waits is news again.
            if now >= Self.expiry(of: entry.lastCall, away: entry.away) { state.idle.remove(session) }
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
    func isIdle(_ session: String) -> Bool { state.withLock { $0.idle.contains(session) } }

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
            (entry.progress, entry.isOrdered, entry.order) = (nil, true, order)
            state.idle.remove(session)
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
            let isNews = entry.pending == nil && !state.idle.contains(session)
            // Who did something until now has the next thing to do soon, more often than not.
            let limit = isNews ? waitingLimit * 3 / 2 : waitingLimit
            let isFull = entry.pending == nil && state.waiting[session] == nil && state.waiting.count >= limit
            if entry.pending == nil { state.idle.insert(session) }
            entry.away = isFull ? min(AgentPace.longest, max(seconds, state.idle.count / callRate)) : nil
            state.calls += 1
            entry.call = state.calls
            state.entries[session] = entry
            return (entry.call, isNews, entry.away)
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
        if order == nil, Task.isCancelled { cutOff(session, call) }
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

    /// Who is cut off may be gone for good, unless it called again since.
    /// - Parameter call: its number; calls for orders count from 1.
    func cutOff(_ session: String, _ call: Int) {
        state.withLock { state in
            if state.entries[session]?.call == call { state.idle.remove(session) }
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
            state.idle.remove(session)
            return state.waiting.removeValue(forKey: session)
        }
        waiter?.continuation.resume(returning: nil)
    }
}
