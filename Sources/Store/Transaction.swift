import Machines

/// Reads and writes that take effect together. Every record that was read must still be as it was when they do.
public final class Transaction {
    private let store: any RecordStore
    private var seen: [RecordKey: Revision?] = [:]
    private var staged: [RecordKey: (value: [UInt8]?, order: Int)] = [:]

    init(_ store: any RecordStore) { self.store = store }

    /// A resource as this transaction sees it: what it wrote itself, else what the store holds.
    public func get<Item: Resource>(_: Item.Type, _ id: String) async throws -> Item? {
        let key = RecordKey(kind: Item.kind, id: id)
        if let staged = staged[key] {
            return try staged.value.map { try Item(Record(key: key, value: $0, createRevision: 0, revision: 0)) }
        }
        let record = try await store.get(key)
        seen[key] = .some(record?.revision)
        return try record.map { try store.decoded.item(of: $0) }
    }

    /// Writes a resource. One that was not read in this transaction must be new.
    public func put(_ item: some Resource) throws {
        staged[item.key] = (try item.encoded(), staged[item.key]?.order ?? staged.count)
    }

    public func delete<Item: Resource>(_: Item.Type, _ id: String) {
        let key = RecordKey(kind: Item.kind, id: id)
        staged[key] = (nil, staged[key]?.order ?? staged.count)
    }

    /// Nothing that was written takes effect: for a caller that only wants to know what would.
    public func abandon() { staged = [:] }

    func writes() -> [Write] {
        guard !staged.isEmpty else { return [] }
        var writes: [Write] = []
        for (key, revision) in seen where staged[key] == nil {
            writes.append(.check(key, expecting: Self.expectation(revision)))
        }
        for (key, change) in staged.sorted(by: { $0.value.order < $1.value.order }) {
            if let value = change.value {
                // Not read here, so it must be new.
                writes.append(.put(key, value, expecting: seen[key].map(Self.expectation) ?? .absent))
            } else {
                writes.append(.delete(key, expecting: seen[key].map(Self.expectation) ?? .any))
            }
        }
        return writes
    }

    private static func expectation(_ revision: Revision?) -> Expectation { revision.map { .revision($0) } ?? .absent }
}

extension RecordStore {
    /// Runs `body` and commits what it wrote, all or nothing. When a record that it read has changed meanwhile, runs it again;
    /// so `body` has no other effects.
    /// - Throws: what `body` throws, and ``StoreError``; `conflict` after `attempts` runs.
    public func transaction<Result>(
        attempts: Int = 16, _ body: (Transaction) async throws -> Result
    ) async throws -> Result {
        for attempt in 1...max(1, attempts) {
            let transaction = Transaction(self)
            let result = try await body(transaction)
            let writes = transaction.writes()
            do {
                if !writes.isEmpty { _ = try await commit(writes) }
                return result
            } catch StoreError.conflict(let key, let current) {
                guard attempt < attempts else { throw StoreError.conflict(key, current: current) }
            }
        }
        throw StoreError.unavailable("a transaction was not tried")
    }
}
