import Foundation
import GRDB
import Store

// GRDB has a class of this name.
public typealias Record = Store.Record

/// The tables, and the few statements on them.
enum Schema {
    /// Named migrations: appended, never edited.
    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("records") { db in
            try db.execute(
                sql: """
                    CREATE TABLE record (
                        kind TEXT NOT NULL, id TEXT NOT NULL, value BLOB NOT NULL,
                        createRevision INTEGER NOT NULL, revision INTEGER NOT NULL,
                        PRIMARY KEY (kind, id)
                    ) WITHOUT ROWID;
                    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
                    INSERT INTO counter VALUES ('revision', 0);
                    """)
        }
        return migrator
    }

    static func migrate(_ pool: DatabasePool, path: String) throws {
        if try pool.read({ try migrator.hasBeenSuperseded($0) }) {
            throw StoreError.unavailable("the store \(path) was written by a newer Slipway; start that version")
        }
        try migrator.migrate(pool)
    }

    static func revision(_ db: Database) throws -> Revision {
        try Int64.fetchOne(db, sql: "SELECT value FROM counter WHERE name = 'revision'") ?? 0
    }

    static func setRevision(_ db: Database, _ revision: Revision) throws {
        try db.cachedStatement(sql: "UPDATE counter SET value = ? WHERE name = 'revision'").execute(arguments: [
            revision
        ])
    }

    static func record(_ db: Database, _ key: RecordKey) throws -> Record? {
        let statement = try db.cachedStatement(sql: "SELECT * FROM record WHERE kind = ? AND id = ?")
        return try Row.fetchOne(statement, arguments: [key.kind, key.id]).map(record)
    }

    static func records(_ db: Database, kind: String, _ part: ListPart) throws -> [Record] {
        let (comparison, order) = part.isReversed ? ("<", "DESC") : (">", "ASC")
        var arguments: StatementArguments = [kind]
        if let after = part.after { arguments += [after] }
        arguments += [part.limit]
        let bound = part.after == nil ? "" : "AND id \(comparison) ?"
        let statement = try db.cachedStatement(
            sql: "SELECT * FROM record WHERE kind = ? \(bound) ORDER BY id \(order) LIMIT ?")
        return try Row.fetchAll(statement, arguments: arguments).map(record)
    }

    static func put(_ db: Database, _ record: Record) throws {
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)")
            .execute(arguments: [
                record.key.kind, record.key.id, Data(record.value), record.createRevision, record.revision,
            ])
    }

    static func delete(_ db: Database, _ key: RecordKey) throws {
        try db.cachedStatement(sql: "DELETE FROM record WHERE kind = ? AND id = ?").execute(arguments: [
            key.kind, key.id,
        ])
    }

    private static func record(_ row: Row) -> Record {
        let value: Data = row["value"]
        return Record(
            key: RecordKey(kind: row["kind"], id: row["id"]), value: Array(value),
            createRevision: row["createRevision"],
            revision: row["revision"])
    }
}
