import Synchronization

/// A store without a disk: for tests, and the yardstick of the conformance suite.
public final class MemoryStore: RecordStore {
    private struct State {
        var records: [String: [String: Record]] = [:]
        var revision: Revision = 0
        var feed: ChangeFeed
    }

    private let state: Mutex<State>
    /// Held by a commit until its changes are handed over: they come in order.
    private let committing = Mutex(())
    public let decoded = DecodedRecords()

    public init(logCapacity: Int = 10_000, watcherCapacity: Int = 10_000) {
        state = Mutex(State(feed: ChangeFeed(from: 0, capacity: logCapacity, watcherCapacity: watcherCapacity)))
    }

    public func get(_ key: RecordKey) -> Record? { state.withLock { $0.records[key.kind]?[key.id] } }

    public func get(_ keys: [RecordKey]) -> [Record] {
        state.withLock { state in keys.compactMap { state.records[$0.kind]?[$0.id] } }
    }

    public func list(kind: String, _ part: ListPart) -> Snapshot {
        state.withLock { state in
            let records = (state.records[kind] ?? [:]).values.sorted { $0.key.id < $1.key.id }
            return Snapshot(records: part.of(records), revision: state.revision)
        }
    }

    public func commit(_ writes: [Write]) throws -> Revision {
        try committing.withLock { _ in
            let (revision, handover) = try state.withLock { try Self.commit(writes, to: &$0) }
            handover?.perform()
            return revision
        }
    }

    private static func commit(
        _ writes: [Write], to state: inout State
    ) throws(StoreError) -> (Revision, ChangeFeed.Handover?) {
        var changes: [Change] = []
        let next = state.revision + 1
        var staged: [RecordKey: Record?] = [:]
        for write in writes {
            let current = staged[write.key] ?? state.records[write.key.kind]?[write.key.id]
            try write.expectation.check(current, key: write.key)
            switch write {
            case .put(let key, let value, _):
                let record = Record(
                    key: key, value: value, createRevision: current?.createRevision ?? next, revision: next)
                staged[key] = .some(record)
                changes.append(Change(revision: next, key: key, effect: .put(record)))
            case .delete(let key, _):
                guard current != nil else { continue }
                staged[key] = .some(nil)
                changes.append(Change(revision: next, key: key, effect: .delete))
            case .check: continue
            }
        }
        guard !changes.isEmpty else { return (state.revision, nil) }
        for (key, record) in staged { state.records[key.kind, default: [:]][key.id] = record }
        state.revision = next
        return (next, state.feed.append(changes))
    }

    public func watch(kind: String, from revision: Revision) -> AsyncThrowingStream<Change, any Error> {
        state.withLock { state in
            let (id, stream) = state.feed.follow(kind: kind, from: revision)
            state.feed.onEnd(of: id) { [weak self] in self?.state.withLock { $0.feed.end(id) } }
            return stream
        }
    }
}

extension Expectation {
    /// - Throws: ``StoreError/conflict(_:current:)`` when `current` is not as expected.
    public func check(_ current: Record?, key: RecordKey) throws(StoreError) {
        switch self {
        case .any: return
        case .absent where current == nil: return
        case .revision(let revision) where current?.revision == revision: return
        case .absent, .revision: throw .conflict(key, current: current?.revision)
        }
    }
}
