import Foundation
import Machines
import SQLiteStore
import Store
import TestSupport
import Testing

/// What every engine must do. The same tests run over all of them.
@Suite struct StoreConformanceTests {
    enum Engine: String, CaseIterable, Sendable { case memory, sqlite }

    static func with(
        _ engine: Engine, logCapacity: Int = 1000, watchers: Int = 1000, _ body: (any RecordStore) async throws -> Void
    ) async throws {
        switch engine {
        case .memory: try await body(MemoryStore(logCapacity: logCapacity, watcherCapacity: watchers))
        case .sqlite:
            try await withTemporaryDirectory { directory in
                let store = try SQLiteRecordStore(
                    path: directory + "/s.sqlite", logCapacity: logCapacity, watcherCapacity: watchers)
                try await body(store)
                try store.close()
            }
        }
    }

    static let key = RecordKey(kind: "machine", id: "a")

    @Test("put, get, list, delete; every commit has its own revision", arguments: Engine.allCases)
    func basics(engine: Engine) async throws {
        try await Self.with(engine) { store in
            #expect(try await store.get(Self.key) == nil)
            let first = try await store.commit([.put(Self.key, [1], expecting: .absent)])
            let second = try await store.commit([.put(Self.key, [2], expecting: .revision(first))])
            #expect(second == first + 1)
            let record = try #require(try await store.get(Self.key))
            #expect(record == Store.Record(key: Self.key, value: [2], createRevision: first, revision: second))
            #expect(try await store.list(kind: "machine") == Snapshot(records: [record], revision: second))
            #expect(try await store.list(kind: "other").records.isEmpty)
            let missing = RecordKey(kind: "machine", id: "b")
            #expect(try await store.get([missing, Self.key]) == [record])
            let third = try await store.commit([.delete(Self.key, expecting: .revision(second))])
            #expect(third == second + 1)
            #expect(try await store.get(Self.key) == nil)
        }
    }

    @Test(
        "a list in parts has every record once, either way, also when the record of the last part is gone",
        arguments: Engine.allCases)
    func parts(engine: Engine) async throws {
        try await Self.with(engine) { store in
            let ids = (0..<7).map { "m-\($0)" }
            for id in ids + ["x"] {
                let kind = id == "x" ? "other" : "machine"
                _ = try await store.commit([.put(RecordKey(kind: kind, id: id), [1], expecting: .any)])
            }
            func part(after: String?, _ limit: Int, reversed: Bool = false) async throws -> [String] {
                try await store.list(kind: "machine", .init(after: after, limit: limit, isReversed: reversed)).records
                    .map(\.key.id)
            }
            #expect(try await part(after: nil, 3) == ["m-0", "m-1", "m-2"])
            #expect(try await part(after: "m-2", 3) == ["m-3", "m-4", "m-5"])
            #expect(try await part(after: "m-5", 3) == ["m-6"])
            #expect(try await part(after: "m-6", 3) == [])
            #expect(try await part(after: nil, 2, reversed: true) == ["m-6", "m-5"])
            #expect(try await part(after: "m-1", 2, reversed: true) == ["m-0"])
            _ = try await store.commit([.delete(RecordKey(kind: "machine", id: "m-2"), expecting: .any)])
            #expect(try await part(after: "m-2", 2) == ["m-3", "m-4"])
            #expect(try await part(after: nil, .max) == ids.filter { $0 != "m-2" })
        }
    }

    @Test("pages are read until the last, or until nobody wants more", arguments: Engine.allCases)
    func pages(engine: Engine) async throws {
        try await Self.with(engine) { store in
            let clusters = (0..<600).map {
                Cluster(id: "c-\(1000 + $0)", name: "c\($0)", flavor: .standalone, createdAt: .distantPast)
            }
            try await store.transaction { transaction in
                for cluster in clusters { try transaction.put(cluster) }
            }
            #expect(try await store.compactMap(Cluster.self) { $0.name } == clusters.map(\.name))
            var seen: [String] = []
            try await store.eachPage(of: Cluster.self, isReversed: true) { page in
                seen += page.map(\.id)
                return seen.count < 300
            }
            #expect(seen == clusters.map(\.id).reversed().prefix(512).map { $0 })
        }
    }

    @Test("an expectation that does not hold changes nothing", arguments: Engine.allCases)
    func conflicts(engine: Engine) async throws {
        try await Self.with(engine) { store in
            let revision = try await store.commit([.put(Self.key, [1], expecting: .any)])
            let other = RecordKey(kind: "machine", id: "b")
            for broken: Store.Expectation in [.absent, .revision(revision + 1)] {
                await #expect(throws: StoreError.conflict(Self.key, current: revision)) {
                    try await store.commit([.put(other, [9], expecting: .absent), .check(Self.key, expecting: broken)])
                }
            }
            #expect(try await store.get(other) == nil)
            #expect(try await store.list(kind: "machine").revision == revision)
        }
    }

    @Test("a hundred increments at once lose none", arguments: Engine.allCases)
    func increments(engine: Engine) async throws {
        try await Self.with(engine) { store in
            _ = try await store.commit([.put(Self.key, [0], expecting: .absent)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<100 {
                    group.addTask {
                        while true {
                            let record = try #require(try await store.get(Self.key))
                            do {
                                _ = try await store.commit([
                                    .put(Self.key, [record.value[0] + 1], expecting: .revision(record.revision))
                                ])
                                return
                            } catch StoreError.conflict { continue }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.get(Self.key)?.value == [100])
        }
    }

    @Test("a watch tells every change in order and without gaps, from a snapshot on", arguments: Engine.allCases)
    func watch(engine: Engine) async throws {
        try await Self.with(engine) { store in
            _ = try await store.commit([.put(Self.key, [0], expecting: .absent)])
            let snapshot = try await store.list(kind: "machine")
            let stream = try await store.watch(kind: "machine", from: snapshot.revision)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 1...50 as ClosedRange<UInt8> {
                    group.addTask {
                        _ = try await store.commit([
                            .put(RecordKey(kind: "machine", id: "\(index)"), [index], expecting: .absent)
                        ])
                    }
                    group.addTask {
                        _ = try await store.commit([
                            .put(RecordKey(kind: "noise", id: "\(index)"), [index], expecting: .absent)
                        ])
                    }
                }
                try await group.waitForAll()
            }
            _ = try await store.commit([.delete(Self.key, expecting: .any)])
            var revisions: [Revision] = []
            var ids: Set<String> = []
            for try await change in stream {
                revisions.append(change.revision)
                if change.effect == .delete { break }
                ids.insert(change.key.id)
            }
            #expect(ids.count == 50)
            #expect(revisions == revisions.sorted() && revisions.count == 51)
        }
    }

    @Test("a watch from before the log is told to list again", arguments: Engine.allCases)
    func compacted(engine: Engine) async throws {
        try await Self.with(engine, logCapacity: 10) { store in
            for index in 0..<40 { _ = try await store.commit([.put(Self.key, [UInt8(index)], expecting: .any)]) }
            let stream = try await store.watch(kind: "machine", from: 1)
            await #expect(throws: StoreError.self) { for try await _ in stream {} }
        }
    }

    @Test(
        "readers that are cancelled in the instant of a commit stop nobody", .timeLimit(.minutes(2)),
        arguments: Engine.allCases)
    func cancelled(engine: Engine) async throws {
        try await Self.with(engine) { store in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                let (written, note) = AsyncStream.makeStream(of: Revision.self)
                tasks.addTask {
                    for _ in 0..<(engine == .memory ? 20_000 : 2_000) {
                        let revision = try await store.commit([.put(Self.key, [1], expecting: .any)])
                        note.yield(revision)
                    }
                    note.finish()
                }
                tasks.addTask {
                    for await revision in written {
                        let reader = Task {
                            for try await _ in try await store.watch(kind: Self.key.kind, from: revision) {}
                        }
                        await Task.yield()
                        reader.cancel()
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }

    @Test("a slow watcher is cut off, and the others are not", arguments: Engine.allCases)
    func slowWatcher(engine: Engine) async throws {
        try await Self.with(engine, watchers: 5) { store in
            let slow = try await store.watch(kind: "machine", from: 0)
            for index in 0..<20 { _ = try await store.commit([.put(Self.key, [UInt8(index)], expecting: .any)]) }
            var seen = 0
            await #expect(throws: StoreError.watcherTooSlow(limit: 5)) { for try await _ in slow { seen += 1 } }
            #expect(seen == 5)
        }
    }

    @Test("values and ids of any content", arguments: Engine.allCases)
    func content(engine: Engine) async throws {
        try await Self.with(engine) { store in
            let big = [UInt8](repeating: 0xff, count: 1 << 20)
            for id in ["ü/\u{0}'\"; DROP TABLE record", String(repeating: "x", count: 500), "🛤"] {
                let key = RecordKey(kind: "machine", id: id)
                _ = try await store.commit([.put(key, big, expecting: .absent)])
                #expect(try await store.get(key)?.value == big)
            }
        }
    }
}
