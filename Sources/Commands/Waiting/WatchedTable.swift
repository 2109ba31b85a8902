import APIClient
import APIModel
import Foundation

/// A list that goes on as things happen: drawn over on a terminal; in a pipe the list, then a row for each change.
actor WatchedTable<Item: NamedView & Sendable> {
    private let format: FormatOption
    private let id: @Sendable (Item) -> String
    private let isWanted: @Sendable (Item) -> Bool
    private let table: @Sendable ([Item]) -> TextTable
    private let region: LiveRegion?
    private var items: [String: Item] = [:]
    private var seen: Set<String> = []
    private var isListed = false
    /// Everything is sent once more after a cut: only what is different is news.
    private var isRelisting = false
    private var notice: String?

    init(
        format: FormatOption, id: @escaping @Sendable (Item) -> String,
        isWanted: @escaping @Sendable (Item) -> Bool = { _ in true }, table: @escaping @Sendable ([Item]) -> TextTable
    ) {
        (self.format, self.id, self.isWanted, self.table) = (format, id, isWanted, table)
        region = format.isTable && Screen.output.isTerminal ? LiveRegion(Screen.output) : nil
    }

    /// Follows a path until the program is ended.
    func run(_ path: String, _ client: APIClient) async throws where Item: Decodable {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await client.follow(path, as: Item.self) { event in
                    try await self.take(event)
                    return true
                }
            }
            if region != nil {
                group.addTask {
                    while true {
                        await self.draw()
                        try await Task.sleep(for: .milliseconds(250))
                    }
                }
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func take(_ event: FollowEvent<Item>) throws {
        switch event {
        case .began: (seen, notice, isRelisting) = ([], nil, isListed)
        case .put(let item):
            let key = id(item)
            seen.insert(key)
            guard isWanted(item) else { return try remove(key) }
            let before = items.updateValue(item, forKey: key)
            if isRelisting, let before, try isSame(before, item) { return }
            if isListed { try tell(item) }
        case .listed:
            for key in items.keys where !seen.contains(key) { try remove(key) }
            isRelisting = false
            guard !isListed else { return }
            isListed = true
            if region == nil { try tellAll() }
        case .delete(let key): try remove(key)
        case .lost(let reason):
            if region == nil, notice != reason { Output.tell("\(reason); still watching") }
            notice = reason
        }
    }

    private func remove(_ key: String) throws {
        guard let item = items.removeValue(forKey: key), isListed, region == nil, format.isTable else { return }
        Output.tell("\(item.name) is not among them any more")
    }

    private func isSame(_ left: Item, _ right: Item) throws -> Bool {
        try APICoding.encoder.encode(left) == APICoding.encoder.encode(right)
    }

    private var sorted: [Item] { items.values.sorted { $0.name < $1.name } }

    private func tellAll() throws {
        if format.isTable { return format.show(table(sorted)) }
        for item in sorted { try format.writeNext(item, name: item.name) }
    }

    private func tell(_ item: Item) throws {
        guard region == nil else { return }
        guard format.isTable else { return try format.writeNext(item, name: item.name) }
        // As wide as the whole list, so that rows stand below one another.
        let rows = sorted
        guard let place = rows.firstIndex(where: { id($0) == id(item) }) else { return }
        let lines = table(rows).lines(isWide: format.format == .wide, painter: format.painter)
        Output.write(lines[place + 1])
    }

    /// Ages go on when nothing happens.
    private func draw() {
        guard let region, let size = Screen.output.size, isListed || notice != nil else { return }
        let isWide = format.format == .wide
        var lines = table(sorted).lines(isWide: isWide, width: size.width - 1, painter: format.painter)
        let room = size.height - 2
        if lines.count > room { lines = lines.prefix(room - 1) + ["… and \(lines.count - room + 1) more"] }
        if let notice {
            lines.append(
                format.painter.paint(
                    TextTable.cut(Output.fitCell("\(notice); still watching"), to: size.width - 1), .bad))
        }
        region.draw(lines)
    }
}
