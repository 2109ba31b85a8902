import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines
import Store

extension Request {
    /// The most that a page may have.
    static let largestPage = 1000

    /// `?limit=500&after=ID`, the page that is asked for; nil: everything at once.
    /// - Throws: ``ServiceError`` `invalid`.
    func page() throws -> ListPart? {
        let after = uri.queryParameters["after"].map(String.init)
        guard let text = uri.queryParameters["limit"] else {
            return after.map { ListPart(after: $0, limit: Self.largestPage) }
        }
        guard let limit = Int(text), (1...Self.largestPage).contains(limit) else {
            throw ServiceError(.invalid, "a page has 1 to \(Self.largestPage) items, not \(text)", field: "limit")
        }
        return ListPart(after: after, limit: limit)
    }

    /// One page in the order of ids where one is asked for, else everything in the order of `isBefore`. Either way the store is read in pages.
    /// - Parameter views: of a page, those of its items that are to be shown.
    func list<Item: Resource, View: Codable & Sendable>(
        _ store: any RecordStore, by isBefore: (View, View) -> Bool, _ views: ([Item]) async throws -> [View]
    ) async throws -> ListView<View> {
        if let part = try page() {
            let snapshot = try await store.list(kind: Item.kind, part)
            let items: [Item] = try snapshot.resources()
            return ListView(
                items: try await views(items), revision: snapshot.revision,
                next: items.count == part.limit ? items.last?.id : nil)
        }
        var all: [View] = []
        let revision = try await store.eachPage(of: Item.self) { items in
            all += try await views(items)
            return true
        }
        return ListView(items: all.sorted(by: isBefore), revision: revision)
    }
}
