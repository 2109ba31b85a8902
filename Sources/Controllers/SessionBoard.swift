import APIModel
import FoundationEssentials
import Machines
import Synchronization

/// What is known of agent sessions between two writes of the store: who called when, who waits, how far the work is.
/// Soft state: a daemon that starts anew learns it again from the agents' next calls.
public final class SessionBoard: Sendable {
    private struct Entry {
        var lastCall: Date
        var waiting: CheckedContinuation<SignedOrder?, Never>?
        var pending: (order: String, signed: SignedOrder)?
        var progress: OrderProgress?
        var isOrdered = false
        var order: String?
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let startedAt: Date

    public init(startedAt: Date) { self.startedAt = startedAt }

    /// A call of this session arrived.
    func noteCall(_ session: String, at now: Date) {
        entries.withLock { $0[session, default: Entry(lastCall: now)].lastCall = now }
    }

    /// The session called lately. After a start of the daemon every open session has its patience again.
    func isLive(_ session: AgentSession, at now: Date) -> Bool {
        guard !session.voided, session.leftAt == nil else { return false }
        return now < expiry(of: session)
    }

    /// When an idle or silent session stops counting as live.
    func expiry(of session: AgentSession) -> Date {
        (lastCall(of: session) ?? max(session.openedAt, startedAt)).addingTimeInterval(AgentSession.patience)
    }

    /// Its last call that this daemon heard.
    func lastCall(of session: AgentSession) -> Date? { entries.withLock { $0[session.id]?.lastCall } }

    /// It waits for an order and none is on its way.
    func isIdle(_ session: String) -> Bool {
        entries.withLock { $0[session].map { $0.waiting != nil && $0.pending == nil } ?? false }
    }

    /// It called since this daemon began, and was given no order since.
    func isUnordered(_ session: String) -> Bool { entries.withLock { $0[session].map { !$0.isOrdered } ?? false } }

    /// Whether the session's newest order was this one, and had not ended.
    func endOrder(_ order: String, of session: String) -> Bool {
        entries.withLock { entries in
            guard entries[session]?.order == order else { return false }
            entries[session]?.order = nil
            return true
        }
    }

    /// Gives the session an order: at once if it waits for one, at its next call otherwise.
    func deliver(_ signed: SignedOrder, order: String, to session: String) {
        let waiter = entries.withLock { entries -> CheckedContinuation<SignedOrder?, Never>? in
            entries[session, default: Entry(lastCall: startedAt)].progress = nil
            entries[session]?.isOrdered = true
            entries[session]?.order = order
            guard let waiting = entries[session]?.waiting else {
                entries[session]?.pending = (order, signed)
                return nil
            }
            entries[session]?.waiting = nil
            return waiting
        }
        waiter?.resume(returning: signed)
    }

    /// The next order, or nil after `seconds` or when the caller goes away.
    /// - Parameter onWait: called when no order is on its way and the session is known to wait for one.
    func nextOrder(for session: String, seconds: Int, onWait: @escaping @Sendable () -> Void) async -> SignedOrder? {
        await withTaskGroup(of: SignedOrder?.self) { group in
            group.addTask { await self.wait(session, onWait) }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                self.release(session)
                return nil
            }
            var order: SignedOrder?
            // Both are awaited: an order that comes in the instant in which the time is up is not lost.
            for await result in group {
                order = order ?? result
                self.release(session)
                group.cancelAll()
            }
            return order
        }
    }

    private func wait(_ session: String, _ onWait: () -> Void) async -> SignedOrder? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (former, pending) = entries.withLock {
                    entries -> (CheckedContinuation<SignedOrder?, Never>?, SignedOrder?) in
                    if let pending = entries[session]?.pending {
                        entries[session]?.pending = nil
                        return (nil, pending.signed)
                    }
                    let former = entries[session, default: Entry(lastCall: startedAt)].waiting
                    entries[session, default: Entry(lastCall: startedAt)].waiting = continuation
                    return (former, nil)
                }
                former?.resume(returning: nil)
                if let pending { continuation.resume(returning: pending) } else { onWait() }
            }
        } onCancel: {
            release(session)
        }
    }

    private func release(_ session: String) {
        let waiting = entries.withLock { entries -> CheckedContinuation<SignedOrder?, Never>? in
            defer { entries[session]?.waiting = nil }
            return entries[session]?.waiting
        }
        waiting?.resume(returning: nil)
    }

    func note(_ progress: OrderProgress?, of session: String) {
        entries.withLock { $0[session]?.progress = progress }
    }

    /// What the agent last said of its work.
    public func progress(of session: String) -> OrderProgress? { entries.withLock { $0[session]?.progress } }

    /// The same of every session that works.
    public func progressOfAll() -> [String: OrderProgress] {
        entries.withLock { $0.compactMapValues(\.progress) }
    }

    func forget(_ session: String) {
        release(session)
        _ = entries.withLock { $0.removeValue(forKey: session) }
    }
}
