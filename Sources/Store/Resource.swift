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

extension Snapshot {
    /// What the records hold.
    /// - Throws: ``StoreError`` `corrupt`.
    public func resources<Item: Resource>() throws -> [Item] { try records.map { try Item($0) } }
}

extension RecordStore {
    public func get<Item: Resource>(_: Item.Type, _ id: String) async throws -> Item? {
        try await get(RecordKey(kind: Item.kind, id: id)).map { try decoded.item(of: $0) }
    }

    /// Those of the resources that there are, by id.
    public func get<Item: Resource>(_: Item.Type, _ ids: some Sequence<String>) async throws -> [String: Item] {
        let records = try await get(ids.map { RecordKey(kind: Item.kind, id: $0) })
        return try Dictionary(records.map { ($0.key.id, try Item($0)) }, uniquingKeysWith: { $1 })
    }

    /// Every resource of a kind, sorted by id, and the revision that a watch goes on from.
    public func list<Item: Resource>(_: Item.Type) async throws -> (items: [Item], revision: Revision) {
        let snapshot = try await list(kind: Item.kind)
        return (try snapshot.records.map { try Item($0) }, snapshot.revision)
    }

    /// Reads every resource of a kind a few hundred at a time, in the order of their ids, so that memory holds no more at once. Each page is as of its
    /// own revision; a watch from the first one's tells all that changed meanwhile.
    /// - Parameters:
    ///   - after: an id to begin behind; nil: with the first.
    ///   - body: false: it wants no more.
    /// - Returns: the first page's revision.
    @discardableResult public func eachPage<Item: Resource>(
        of _: Item.Type, after: String? = nil, isReversed: Bool = false, pageSize: Int = 256,
        _ body: ([Item]) async throws -> Bool
    ) async throws -> Revision {
        var part = ListPart(after: after, limit: pageSize, isReversed: isReversed)
        var first: Revision?
        while true {
            let page = try await list(kind: Item.kind, part)
            first = first ?? page.revision
            let goesOn = try await body(try page.records.map { try Item($0) })
            guard goesOn, page.records.count == part.limit else { return first ?? page.revision }
            part.after = page.records.last?.key.id
        }
    }

    /// Every resource of a kind whose id begins so, in the order of their ids: nothing else is read.
    public func list<Item: Resource>(_: Item.Type, prefix: String) async throws -> [Item] {
        var items: [Item] = []
        try await eachPage(of: Item.self, after: prefix, pageSize: 16) { page in
            let own = page.prefix { $0.id.hasPrefix(prefix) }
            items += own
            return own.count == page.count
        }
        return items
    }

    /// What `body` makes of the resources of a kind, without those it makes nothing of: all are read, and only this is kept.
    public func compactMap<Item: Resource, Result>(
        _: Item.Type, _ body: (Item) throws -> Result?
    ) async throws -> [Result] {
        var results: [Result] = []
        try await eachPage(of: Item.self) { items in
            results += try items.compactMap(body)
            return true
        }
        return results
    }

    /// Gives every resource of a kind to `listed`, page by page, and then each change. A resource that changed while the pages were read is told as it was in
    /// between once more, and then as it is.
    public func follow<Item: Resource>(
        _: Item.Type, listed: ([Item]) async throws -> Void
    ) async throws -> AsyncThrowingMapSequence<AsyncThrowingStream<Change, any Error>, ResourceChange<Item>> {
        let changes = try await changes(of: Item.self)
        try await eachPage(of: Item.self) { items in
            try await listed(items)
            return true
        }
        return changes
    }

    /// Each change of a kind from now on.
    public func changes<Item: Resource>(
        of _: Item.Type
    ) async throws -> AsyncThrowingMapSequence<AsyncThrowingStream<Change, any Error>, ResourceChange<Item>> {
        let start = try await list(kind: Item.kind, ListPart(limit: 0)).revision
        return try await watch(kind: Item.kind, from: start).map { [decoded] change in
            switch change.effect {
            case .put(let record):
                ResourceChange(revision: change.revision, id: change.key.id, item: try decoded.item(of: record))
            case .delete: ResourceChange<Item>(revision: change.revision, id: change.key.id, item: nil)
            }
        }
    }
}
