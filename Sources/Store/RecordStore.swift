/// A small revisioned store of JSON records, in the manner of the Kubernetes API machinery. SQLite is the embedded engine; etcd
/// can be another, which is why there is nothing here that its JSON gateway cannot do.
public protocol RecordStore: Sendable {
    /// The record of a key, nil when there is none.
    func get(_ key: RecordKey) async throws -> Record?
    /// Those of the records that there are, as of one revision: one question where hundreds would each wait for their turn.
    func get(_ keys: [RecordKey]) async throws -> [Record]
    /// Records of a kind, as of one revision.
    func list(kind: String, _ part: ListPart) async throws -> Snapshot
    /// Applies all writes or none. Returns when they are durable.
    /// - Returns: the revision of the commit, or the current one when `writes` changes nothing.
    /// - Throws: ``StoreError``; `conflict` when an expectation does not hold.
    func commit(_ writes: [Write]) async throws -> Revision
    /// Every change of a kind after `revision`, in order and without gaps.
    /// - Throws: in the stream: ``StoreError`` `compacted` when the log does not reach back so far, `watcherTooSlow` when the
    ///   caller falls behind.
    func watch(kind: String, from revision: Revision) async throws -> AsyncThrowingStream<Change, any Error>
    /// Of this store's own records.
    var decoded: DecodedRecords { get }
}

/// Which records of a kind a list has: in the order of their ids, those behind `after`, at most `limit`.
public struct ListPart: Equatable, Sendable {
    /// An id, which need not be there; nil: from the first.
    public var after: String?
    public var limit: Int
    /// From the last id to the first.
    public var isReversed: Bool

    public init(after: String? = nil, limit: Int, isReversed: Bool = false) {
        (self.after, self.limit, self.isReversed) = (after, limit, isReversed)
    }

    /// What `records`, in the order of their ids, have of it.
    func of(_ records: [Record]) -> [Record] {
        let ordered = isReversed ? records.reversed() : records
        let behind = ordered.drop { record in
            after.map { isReversed ? record.key.id >= $0 : record.key.id <= $0 } ?? false
        }
        return Array(behind.prefix(limit))
    }
}

extension RecordStore {
    /// Every record of a kind, as of one revision.
    public func list(kind: String) async throws -> Snapshot { try await list(kind: kind, ListPart(limit: .max)) }
}

/// Why a store did not do what it was asked.
public enum StoreError: Error, Equatable, CustomStringConvertible {
    /// The record is not as expected: `current` is its revision, nil when it does not exist.
    case conflict(RecordKey, current: Revision?)
    /// The change log begins after `oldest`: list again and watch from there.
    case compacted(oldest: Revision)
    /// More than `limit` changes waited for this watcher: list again.
    case watcherTooSlow(limit: Int)
    /// The engine cannot work; the words name the file and what to do.
    case unavailable(String)
    /// A record is there and cannot be read as what it should be.
    case corrupt(RecordKey, String)

    public var description: String {
        switch self {
        case .conflict(let key, let current):
            "\(key) was changed meanwhile, and is now \(current.map { "at revision \($0)" } ?? "gone")"
        case .compacted(let oldest): "the change log begins at revision \(oldest)"
        case .watcherTooSlow(let limit): "the watcher fell more than \(limit) changes behind"
        case .unavailable(let why): why
        case .corrupt(let key, let why): "\(key) cannot be read: \(why)"
        }
    }
}
