/// A store without a disk: for tests, and the yardstick of the conformance suite.
public actor MemoryStore: RecordStore {
    private var records: [String: [String: Record]] = [:]
    private var revision: Revision = 0
    private var feed: ChangeFeed

    public init(logCapacity: Int = 10_000, watcherCapacity: Int = 10_000) {
        feed = ChangeFeed(from: 0, capacity: logCapacity, watcherCapacity: watcherCapacity)
    }

    public func get(_ key: RecordKey) -> Record? { records[key.kind]?[key.id] }

    public func list(kind: String) -> Snapshot {
        Snapshot(records: (records[kind] ?? [:]).values.sorted { $0.key.id < $1.key.id }, revision: revision)
    }

    public func commit(_ writes: [Write]) throws -> Revision {
        var changes: [Change] = []
        let next = revision + 1
        var staged: [RecordKey: Record?] = [:]
        for write in writes {
            let current = staged[write.key] ?? get(write.key)
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
        guard !changes.isEmpty else { return revision }
        for (key, record) in staged { records[key.kind, default: [:]][key.id] = record }
        revision = next
        feed.append(changes)
        return next
    }

    public func watch(kind: String, from revision: Revision) -> AsyncThrowingStream<Change, any Error> {
        let (id, stream) = feed.follow(kind: kind, from: revision)
        feed.onEnd(of: id) { [weak self] in
            guard let self else { return }
            // The stream's end is told from any thread; the actor takes its name off the list when it comes round.
            Task { await self.end(id) }
        }
        return stream
    }

    private func end(_ id: Int) { feed.end(id) }
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
