/// The tail of the change log and those who follow it: shared by the engines. Not safe by itself; its owner holds a lock, and hands changes over without it:
/// whoever wakes a reader waits for the lock of its task, which a canceller of that task holds while it runs ``onEnd(of:perform:)``'s action.
public struct ChangeFeed: Sendable {
    fileprivate struct Watcher: Sendable {
        var kind: String
        /// Changes up to this one it has from its list: a commit can be in the engine a moment before it is in the feed.
        var from: Revision
        var continuation: AsyncThrowingStream<Change, any Error>.Continuation
    }

    private var log: [Change] = []
    private var watchers: [Int: Watcher] = [:]
    private var nextWatcher = 0
    /// Changes up to this revision have left the log.
    private var compacted: Revision
    private let capacity: Int
    private let watcherCapacity: Int

    /// - Parameters:
    ///   - revision: where the log begins.
    ///   - capacity: how many changes the log keeps.
    ///   - watcherCapacity: how many changes may wait for one watcher.
    public init(from revision: Revision, capacity: Int, watcherCapacity: Int) {
        (compacted, self.capacity, self.watcherCapacity) = (revision, capacity, watcherCapacity)
    }

    /// What is to be done about the watchers once the owner's lock is free, in the order of the commits.
    public struct Handover: Sendable {
        fileprivate var changes: [(to: Watcher, [Change])] = []
        fileprivate let limit: Int

        /// Never under a lock that an action of ``ChangeFeed/onEnd(of:perform:)`` takes.
        public func perform() {
            for (watcher, changes) in changes {
                for change in changes {
                    if case .dropped = watcher.continuation.yield(change) {
                        watcher.continuation.finish(throwing: StoreError.watcherTooSlow(limit: limit))
                        break
                    }
                }
            }
        }
    }

    /// Adds the changes of one commit.
    /// - Returns: what the watchers get.
    public mutating func append(_ changes: [Change]) -> Handover {
        log += changes
        if log.count > capacity + capacity / 4 {
            let surplus = log.count - capacity
            // A commit leaves the log whole, so that a watch from a revision is never half of one.
            compacted = log[surplus - 1].revision
            log.removeAll { $0.revision <= compacted }
        }
        var handover = Handover(limit: watcherCapacity)
        for watcher in watchers.values {
            let wanted = changes.filter { $0.key.kind == watcher.kind && $0.revision > watcher.from }
            if !wanted.isEmpty { handover.changes.append((watcher, wanted)) }
        }
        return handover
    }

    /// A stream of the changes of `kind` after `revision`, and the number to end it by.
    public mutating func follow(kind: String, from revision: Revision) -> (
        id: Int, stream: AsyncThrowingStream<Change, any Error>
    ) {
        let backlog = log.filter { $0.revision > revision && $0.key.kind == kind }
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: Change.self, bufferingPolicy: .bufferingOldest(backlog.count + watcherCapacity))
        nextWatcher += 1
        guard revision >= compacted else {
            continuation.finish(throwing: StoreError.compacted(oldest: compacted))
            return (nextWatcher, stream)
        }
        for change in backlog { continuation.yield(change) }
        watchers[nextWatcher] = Watcher(kind: kind, from: revision, continuation: continuation)
        return (nextWatcher, stream)
    }

    /// Runs when the stream's reader goes away.
    public func onEnd(of id: Int, perform action: @escaping @Sendable () -> Void) {
        watchers[id]?.continuation.onTermination = { _ in action() }
    }

    public mutating func end(_ id: Int) { watchers[id] = nil }

    /// The store closes.
    /// - Returns: what ends every stream, to be called as ``Handover/perform()`` is.
    public mutating func close() -> @Sendable () -> Void {
        defer { watchers = [:] }
        return { [watchers] in
            for watcher in watchers.values { watcher.continuation.finish() }
        }
    }
}
