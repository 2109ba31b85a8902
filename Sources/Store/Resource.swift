import FoundationEssentials
import Machines

/// One change of one resource.
public struct ResourceChange<Item: Resource>: Sendable {
    public var revision: Revision
    public var id: String
    /// Nil when it was deleted.
    public var item: Item?

    public var isDeletion: Bool { item == nil }
}

extension Resource {
    var key: RecordKey { RecordKey(kind: Self.kind, id: id) }

    /// JSON with sorted keys, so that equal values are equal records.
    func encoded() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(self))
    }

    init(_ record: Record) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(record.value))
        } catch {
            throw StoreError.corrupt(record.key, "\(error)")
        }
    }
}

extension RecordStore {
    public func get<Item: Resource>(_: Item.Type, _ id: String) async throws -> Item? {
        try await get(RecordKey(kind: Item.kind, id: id)).map { try Item($0) }
    }

    /// Every resource of a kind, sorted by id, and the revision that a watch goes on from.
    public func list<Item: Resource>(_: Item.Type) async throws -> (items: [Item], revision: Revision) {
        let snapshot = try await list(kind: Item.kind)
        return (try snapshot.records.map { try Item($0) }, snapshot.revision)
    }

    /// Every resource of a kind as of now, and each change from then on.
    public func listAndWatch<Item: Resource>(_: Item.Type) async throws -> (
        items: [Item], changes: AsyncThrowingMapSequence<AsyncThrowingStream<Change, any Error>, ResourceChange<Item>>
    ) {
        let (items, revision) = try await list(Item.self)
        let changes = try await watch(kind: Item.kind, from: revision).map { change in
            switch change.effect {
            case .put(let record): ResourceChange(revision: change.revision, id: change.key.id, item: try Item(record))
            case .delete: ResourceChange<Item>(revision: change.revision, id: change.key.id, item: nil)
            }
        }
        return (items, changes)
    }
}
