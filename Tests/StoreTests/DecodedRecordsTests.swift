import Foundation
import Machines
import Synchronization
import Testing

@testable import Store

/// Resources that are not decoded again.
@Suite struct DecodedRecordsTests {
    struct Probe: Resource {
        static let kind = "probe"
        /// How often each was decoded.
        static let decoded = Mutex<[String: Int]>([:])

        var id: String
        var value: Int

        init(id: String, value: Int) { (self.id, self.value) = (id, value) }

        private enum CodingKeys: String, CodingKey { case id, value }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            id = try container.decode(String.self, forKey: .id)
            value = try container.decode(Int.self, forKey: .value)
            Self.decoded.withLock { [id] in $0[id, default: 0] += 1 }
        }

        static func count(_ id: String) -> Int { decoded.withLock { $0[id] ?? 0 } }
    }

    private static func record(_ id: String, _ value: Int, revision: Revision) throws -> Record {
        let probe = Probe(id: id, value: value)
        return Record(key: probe.key, value: try probe.encoded(), createRevision: 1, revision: revision)
    }

    @Test("what several ask for is decoded once, and a change is another one for all of them")
    func shared() async throws {
        let store = MemoryStore()
        var changes = try await store.changes(of: Probe.self).makeAsyncIterator()
        for value in 1...3 {
            try await store.transaction { transaction in
                _ = try await transaction.get(Probe.self, "shared")
                try transaction.put(Probe(id: "shared", value: value))
            }
            #expect(try await changes.next()?.item?.value == value)
            #expect(try await store.get(Probe.self, "shared")?.value == value)
            #expect(try await store.transaction { try await $0.get(Probe.self, "shared")?.value } == value)
            #expect(Probe.count("shared") == value)
        }
        try await store.transaction { transaction in
            _ = try await transaction.get(Probe.self, "shared")
            try transaction.put(Probe(id: "shared", value: 9))
            // Its own, of no revision yet, and nobody else's.
            #expect(try await transaction.get(Probe.self, "shared")?.value == 9)
            transaction.abandon()
        }
        #expect(try await store.get(Probe.self, "shared")?.value == 3)
        try await store.transaction { $0.delete(Probe.self, "shared") }
        #expect(try await store.get(Probe.self, "shared") == nil)
    }

    @Test("who is asked for again stays, the others go")
    func limit() throws {
        let decoded = DecodedRecords(limit: 2)
        for other in ["limit-b", "limit-c", "limit-d", "limit-e"] {
            for (id, value) in [("limit-a", 1), (other, 2)] {
                let probe: Probe = try decoded.item(of: Self.record(id, value, revision: 5))
                #expect(probe.value == value)
            }
        }
        #expect(Probe.count("limit-a") == 1)
        let again: Probe = try decoded.item(of: Self.record("limit-b", 2, revision: 5))
        #expect(again.value == 2 && Probe.count("limit-b") == 2)
    }

    @Test("who reads an old change gets it as it was, and takes the newer one's place from nobody")
    func old() throws {
        let decoded = DecodedRecords()
        for (value, revision) in [(1, 1), (2, 2), (1, 1), (2, 2)] {
            let probe: Probe = try decoded.item(of: Self.record("old", value, revision: Int64(revision)))
            #expect(probe.value == value)
        }
        #expect(Probe.count("old") == 3)
    }
}
