/// The tail of the change log and those who follow it: shared by the engines. Not safe by itself; its owner holds a lock.
public struct ChangeFeed: Sendable {
    private struct Watcher: Sendable {
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

    /// Adds the changes of one commit and hands them to the watchers.
    public mutating func append(_ changes: [Change]) {
        log += changes
        if log.count > capacity + capacity / 4 {
            let surplus = log.count - capacity
            // A commit leaves the log whole, so that a watch from a revision is never half of one.
            compacted = log[surplus - 1].revision
            log.removeAll { $0.revision <= compacted }
        }
        for (id, watcher) in watchers {
            for change in changes where change.key.kind == watcher.kind && change.revision > watcher.from {
                if case .dropped = watcher.continuation.yield(change) {
                    end(id, throwing: StoreError.watcherTooSlow(limit: watcherCapacity))
                    break
                }
            }
        }
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

    /// Ends every stream; the store closes.
    public mutating func close() {
        for id in watchers.keys { end(id, throwing: nil) }
    }

    /// Ends a stream by ourselves: nobody is told of it, since the owner holds its lock.
    private mutating func end(_ id: Int, throwing error: StoreError?) {
        guard let watcher = watchers.removeValue(forKey: id) else { return }
        watcher.continuation.onTermination = nil
        watcher.continuation.finish(throwing: error)
    }
}
