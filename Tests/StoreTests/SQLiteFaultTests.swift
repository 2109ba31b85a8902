import Foundation
import SQLiteStore
import Store
import TestSupport
import Testing

@Suite struct SQLiteFaultTests {
    @Test("a second process is told who holds the store")
    func locked() async throws {
        try await withTemporaryDirectory { directory in
            let store = try SQLiteRecordStore(path: directory + "/s.sqlite")
            let error = #expect(throws: StoreError.self) { try SQLiteRecordStore(path: directory + "/s.sqlite") }
            #expect(error?.description.contains("in use by another slipwayd (process \(getpid()))") == true)
            try store.close()
        }
    }

    @Test("what is no database is said to be none, with its path")
    func corrupt() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s.sqlite"
            try Data(repeating: 0x41, count: 100_000).write(to: URL(fileURLWithPath: path))
            let error = #expect(throws: StoreError.self) { try SQLiteRecordStore(path: path) }
            #expect(error?.description.contains(path) == true)
            #expect(error?.description.contains("damaged or no database") == true)
        }
    }

    @Test("a directory that is not there is named")
    func missing() {
        let error = #expect(throws: StoreError.self) { try SQLiteRecordStore(path: "/nonexistent/s.sqlite") }
        #expect(error?.description.contains("/nonexistent/s.sqlite") == true)
    }

    @Test("every acknowledged commit is there after the file was left as a crash leaves it, and the file is private")
    func durable() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/s.sqlite"
            let store = try SQLiteRecordStore(path: path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<200 {
                    group.addTask {
                        _ = try await store.commit([.put(RecordKey(kind: "k", id: "\(index)"), [1], expecting: .absent)]
                        )
                    }
                }
                try await group.waitForAll()
            }
            // As after kill -9: no close, no checkpoint; the log beside the file is all there is.
            let copy = directory + "/after.sqlite"
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
            }
            let again = try SQLiteRecordStore(path: copy)
            #expect(try await again.list(kind: "k").records.count == 200)
            #expect(try await again.list(kind: "k").revision == 200)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            try again.close()
            try store.close()
        }
    }
}
