/// Names one record: a kind such as `machine`, and an id that is unique among its kind.
public struct RecordKey: Hashable, Sendable, CustomStringConvertible {
    public var kind: String
    public var id: String

    public init(kind: String, id: String) { (self.kind, self.id) = (kind, id) }

    public var description: String { "\(kind)/\(id)" }
}

/// Counts the commits of a store, from 1; every commit has its own.
public typealias Revision = Int64

/// A stored value with the commit that wrote it.
public struct Record: Equatable, Sendable {
    public var key: RecordKey
    /// JSON.
    public var value: [UInt8]
    /// The commit that created the key.
    public var createRevision: Revision
    /// The last commit that wrote it.
    public var revision: Revision

    public init(key: RecordKey, value: [UInt8], createRevision: Revision, revision: Revision) {
        (self.key, self.value, self.createRevision, self.revision) = (key, value, createRevision, revision)
    }
}

/// What a write demands of the record it finds.
public enum Expectation: Equatable, Sendable {
    case any
    case absent
    /// Last written by this commit.
    case revision(Revision)
}

/// One write of a transaction.
public enum Write: Equatable, Sendable {
    case put(RecordKey, [UInt8], expecting: Expectation)
    case delete(RecordKey, expecting: Expectation)
    /// Writes nothing; the transaction fails when the record is not as expected.
    case check(RecordKey, expecting: Expectation)

    public var key: RecordKey {
        switch self {
        case .put(let key, _, _), .delete(let key, _), .check(let key, _): key
        }
    }

    public var expectation: Expectation {
        switch self {
        case .put(_, _, let expectation), .delete(_, let expectation), .check(_, let expectation): expectation
        }
    }
}

/// One change of one record, in the order of commits.
public struct Change: Equatable, Sendable {
    public enum Effect: Equatable, Sendable {
        case put(Record)
        case delete
    }

    public var revision: Revision
    public var key: RecordKey
    public var effect: Effect

    public init(revision: Revision, key: RecordKey, effect: Effect) {
        (self.revision, self.key, self.effect) = (revision, key, effect)
    }
}

/// All records of a kind as of one revision.
public struct Snapshot: Equatable, Sendable {
    /// Sorted by id.
    public var records: [Record]
    public var revision: Revision

    public init(records: [Record], revision: Revision) { (self.records, self.revision) = (records, revision) }
}
