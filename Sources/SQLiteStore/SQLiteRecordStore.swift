import Foundation
import GRDB
import Store
import Synchronization

/// The embedded store: one SQLite file in WAL mode with `synchronous=FULL`, owned by one process.
///
/// There is one writer. Transactions that wait while it works are committed together, each in a savepoint of its own, so that
/// they share one sync of the disk and still fail one by one.
public final class SQLiteRecordStore: RecordStore {
    private let pool: DatabasePool
    /// For single records. Not of the pool: those of its readers that are awaited need the threads that would be blocked here.
    private let lookup: DatabaseQueue
    private let lock: FileLock
    private let path: String
    private let state: Mutex<State>
    public let decoded = DecodedRecords()

    private struct State {
        var feed: ChangeFeed
        var waiting: [Pending] = []
        var isWriting = false
    }

    private struct Pending {
        var writes: [Write]
        var continuation: CheckedContinuation<Revision, any Error>
    }

    /// What became of one transaction of a group.
    private enum Outcome: Sendable {
        case committed(Revision, [Change])
        case refused(any Error)
    }

    /// The most transactions that share one sync.
    static let groupLimit = 64

    /// Opens the file, or makes it. The directory must exist.
    /// - Parameters:
    ///   - logCapacity: how many changes a watch may reach back: each begins with a list of a moment ago. They are kept whole, in memory.
    ///   - watcherCapacity: how many changes may wait for one watcher.
    /// - Throws: ``StoreError`` `unavailable`: another process owns it, it cannot be written, it is no database, or a newer
    ///   Slipway made it.
    public init(path: String, logCapacity: Int = 2_000, watcherCapacity: Int = 20_000) throws {
        self.path = path
        lock = try FileLock(path: path + ".lock")
        do {
            // Made with its final mode before SQLite opens it, so that no moment leaves it readable to others.
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                throw StoreError.unavailable("the store \(path) cannot be opened: \(String(cString: strerror(errno)))")
            }
            Foundation.close(descriptor)
            var configuration = Configuration()
            configuration.busyMode = .timeout(5)
            configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
            pool = try DatabasePool(path: path, configuration: configuration)
            try Schema.migrate(pool, path: path)
            configuration.readonly = true
            lookup = try DatabaseQueue(path: path, configuration: configuration)
            let revision = try pool.read { try Schema.revision($0) }
            state = Mutex(
                State(feed: ChangeFeed(from: revision, capacity: logCapacity, watcherCapacity: watcherCapacity)))
        } catch let error as DatabaseError {
            throw Self.translate(error, path: path)
        }
    }

    public func get(_ key: RecordKey) async throws -> Record? {
        try lookUp(key)
    }

    public func get(_ keys: [RecordKey]) async throws -> [Record] {
        try await reading { db in try keys.compactMap { try Schema.record(db, $0) } }
    }

    public func list(kind: String, _ part: ListPart) async throws -> Snapshot {
        try await reading { db in
            Snapshot(records: try Schema.records(db, kind: kind, part), revision: try Schema.revision(db))
        }
    }

    public func commit(_ writes: [Write]) async throws -> Revision {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { $0.waiting.append(Pending(writes: writes, continuation: continuation)) }
            writeNextGroup()
        }
    }

    public func watch(kind: String, from revision: Revision) -> AsyncThrowingStream<Change, any Error> {
        state.withLock { state in
            let (id, stream) = state.feed.follow(kind: kind, from: revision)
            state.feed.onEnd(of: id) { [weak self] in self?.state.withLock { $0.feed.end(id) } }
            return stream
        }
    }

    /// Writes the log back into the file and ends every watch. Not needed for durability.
    public func close() throws {
        let endWatches = state.withLock { $0.feed.close() }
        endWatches()
        try lookup.close()
        try pool.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        try pool.close()
    }

    private func writeNextGroup() {
        let group = state.withLock { state -> [Pending] in
            guard !state.isWriting, !state.waiting.isEmpty else { return [] }
            state.isWriting = true
            defer { state.waiting.removeFirst(min(Self.groupLimit, state.waiting.count)) }
            return Array(state.waiting.prefix(Self.groupLimit))
        }
        guard !group.isEmpty else { return }
        let path = path
        // A callback, not an async call: a cancelled caller must not take the others' commit with it.
        pool.asyncWrite(
            { db in
                try group.map { pending in try Self.apply(pending.writes, db) }
            },
            completion: { _, result in
                self.finish(
                    group, result.mapError { ($0 as? DatabaseError).map { Self.translate($0, path: path) } ?? $0 })
            })
    }

    private func finish(_ group: [Pending], _ result: Result<[Outcome], any Error>) {
        // The feed hears of a commit before its caller does: a watch that begins after it has all of it.
        let handovers = state.withLock { state -> [ChangeFeed.Handover] in
            guard case .success(let outcomes) = result else { return [] }
            return outcomes.compactMap { outcome in
                guard case .committed(_, let changes) = outcome else { return nil }
                return state.feed.append(changes)
            }
        }
        for handover in handovers { handover.perform() }
        // Only now the next group: changes come in order.
        state.withLock { $0.isWriting = false }
        switch result {
        case .failure(let error):
            for pending in group { pending.continuation.resume(throwing: error) }
        case .success(let outcomes):
            for (pending, outcome) in zip(group, outcomes) {
                switch outcome {
                case .committed(let revision, _): pending.continuation.resume(returning: revision)
                case .refused(let error):
                    pending.continuation.resume(throwing: error)
                }
            }
        }
        writeNextGroup()
    }

    /// One transaction in its savepoint. A broken expectation refuses it alone; a fault of the engine fails the whole group.
    private static func apply(_ writes: [Write], _ db: Database) throws -> Outcome {
        var outcome = Outcome.committed(0, [])
        do {
            try db.inSavepoint {
                let former = try Schema.revision(db)
                let next = former + 1
                var changes: [Change] = []
                for write in writes {
                    let current = try Schema.record(db, write.key)
                    try write.expectation.check(current, key: write.key)
                    switch write {
                    case .put(let key, let value, _):
                        let record = Record(
                            key: key, value: value, createRevision: current?.createRevision ?? next, revision: next)
                        try Schema.put(db, record)
                        changes.append(Change(revision: next, key: key, effect: .put(record)))
                    case .delete(let key, _):
                        guard current != nil else { continue }
                        try Schema.delete(db, key)
                        changes.append(Change(revision: next, key: key, effect: .delete))
                    case .check: continue
                    }
                }
                if !changes.isEmpty { try Schema.setRevision(db, next) }
                outcome = .committed(changes.isEmpty ? former : next, changes)
                return .commit
            }
        } catch let error as StoreError {
            return .refused(error)
        }
        return outcome
    }

    private func reading<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value
    {
        do {
            return try await pool.read(body)
        } catch let error as DatabaseError {
            throw Self.translate(error, path: path)
        }
    }

    /// Here and now: one record takes less time than a change of threads.
    private func lookUp(_ key: RecordKey) throws -> Record? {
        do {
            return try lookup.unsafeRead { db in try Schema.record(db, key) }
        } catch let error as DatabaseError {
            throw Self.translate(error, path: path)
        }
    }

    static func translate(_ error: DatabaseError, path: String) -> StoreError {
        let advice: String
        switch error.resultCode {
        case .SQLITE_FULL: advice = "the disk is full; make room, nothing of this change was kept"
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN:
            advice = "it cannot be written; look at its owner, mode and mount"
        case .SQLITE_BUSY, .SQLITE_LOCKED: advice = "another program holds it; stop whatever has it open"
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: advice = "it is damaged or no database; restore it from a backup"
        case .SQLITE_IOERR: advice = "the disk failed or is full; look at the kernel log"
        default: advice = "SQLite says: \(error.message ?? "\(error.resultCode)")"
        }
        return .unavailable("the store \(path): \(advice) (\(error.extendedResultCode))")
    }
}
