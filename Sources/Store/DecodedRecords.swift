import Machines
import Synchronization

/// What the newest records were decoded to. A change of one resource is read by several at a time, and to decode it costs more than to read it.
/// A record of one revision never changes, so there is nothing to be invalidated.
public final class DecodedRecords: Sendable {
    private struct Entry {
        var revision: Revision
        var item: any Sendable
    }

    /// Two generations: who is asked for again stays, and the others go with theirs.
    private struct State {
        var young: [RecordKey: Entry] = [:]
        var old: [RecordKey: Entry] = [:]

        func entry(_ key: RecordKey) -> Entry? { young[key] ?? old[key] }

        /// - Returns: what nobody asked for lately: to be let go of outside the lock, since there is much of it.
        mutating func keep(_ entry: Entry, as key: RecordKey, limit: Int) -> [RecordKey: Entry] {
            var gone: [RecordKey: Entry] = [:]
            if young[key] == nil, young.count >= limit { (gone, old, young) = (old, young, [:]) }
            young[key] = entry
            return gone
        }
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: of each generation.
    public init(limit: Int = 256) { self.limit = limit }

    /// What the record holds.
    /// - Parameter record: as the engine committed it.
    /// - Throws: ``StoreError`` `corrupt`.
    func item<Item: Resource>(of record: Record) throws -> Item {
        let (known, _) = state.withLock { state -> (Entry?, [RecordKey: Entry]) in
            guard let entry = state.entry(record.key), entry.revision == record.revision else { return (nil, [:]) }
            return (entry, state.keep(entry, as: record.key, limit: limit))
        }
        if let item = known?.item as? Item { return item }
        let item = try Item(record)
        _ = state.withLock { state -> [RecordKey: Entry] in
            // What is older by now does not take the place of what is newer.
            guard record.revision >= state.entry(record.key)?.revision ?? 0 else { return [:] }
            return state.keep(Entry(revision: record.revision, item: item), as: record.key, limit: limit)
        }
        return item
    }
}
