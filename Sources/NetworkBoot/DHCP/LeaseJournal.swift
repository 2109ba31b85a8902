import FoundationEssentials
import Glibc
import NIOPosix
import NetworkAddresses
import Synchronization

/// The leases on disk: one JSON line for each change, appended and synced before its ACK leaves. A line torn by a power cut is
/// passed over. At start, and whenever most of it is old, the file is written anew with what still counts.
public final class LeaseJournal: Sendable {
    private struct Entry: Sendable {
        var lease: Lease
        var done: @Sendable (Result<Void, any Error>) -> Void
    }

    private struct State {
        var table: LeaseTable
        var file: Int32
        /// Lines in the file.
        var lines: Int
        var waiting: [Entry] = []
        var isWriting = false
    }

    private let path: String
    private let state: Mutex<State>

    /// Lines beyond those that count before the file is written anew.
    static let slack = 4096

    /// Opens the journal, or makes it.
    /// - Returns: the journal, and the leases it held.
    /// - Throws: ``LeaseJournalError``.
    public static func open(_ path: String) throws -> (LeaseJournal, [Lease]) {
        let table = try load(path)
        let file = try rewrite(table, path)
        return (LeaseJournal(path, State(table: table, file: file, lines: table.count)), table.sorted)
    }

    private init(_ path: String, _ state: State) {
        self.path = path
        self.state = Mutex(state)
    }

    deinit { state.withLock { _ = close($0.file) } }

    /// Returns when the lease is on disk.
    public func append(_ lease: Lease) async throws {
        try await withCheckedThrowingContinuation { continuation in append(lease) { continuation.resume(with: $0) } }
    }

    /// Calls `done` on some thread when the lease is on disk, or cannot be. Leases that wait together share one sync.
    func append(_ lease: Lease, done: @escaping @Sendable (Result<Void, any Error>) -> Void) {
        state.withLock { $0.waiting.append(Entry(lease: lease, done: done)) }
        writeNext()
    }

    /// One group at a time, on a thread that may block: the sync takes as long as the disk takes.
    private func writeNext() {
        let group = state.withLock { state -> [Entry] in
            guard !state.isWriting else { return [] }
            state.isWriting = !state.waiting.isEmpty
            defer { state.waiting = [] }
            return state.waiting
        }
        guard !group.isEmpty else { return }
        NIOThreadPool.singleton.submit { _ in
            let result = Result { try self.write(group.map(\.lease)) }
            self.state.withLock { $0.isWriting = false }
            for entry in group { entry.done(result) }
            self.writeNext()
        }
    }

    /// Only the one writer calls it; the lock is not held while the disk works.
    private func write(_ leases: [Lease]) throws {
        let (file, isStale) = state.withLock { ($0.file, $0.lines > $0.table.count + Self.slack) }
        try Self.append(leases.map(Self.line).joined(), to: file, path: path)
        let table = state.withLock { state in
            for lease in leases { state.table.insert(lease) }
            state.lines += leases.count
            return state.table
        }
        // The lease is durable already: a disk that is too full for a second file is none of its client's business.
        guard isStale, let fresh = try? Self.rewrite(table, path) else { return }
        state.withLock { state in
            close(state.file)
            (state.file, state.lines) = (fresh, table.count)
        }
    }

    /// A new file in place of the old one, which is whole until then.
    /// - Returns: its descriptor, for appending.
    private static func rewrite(_ table: LeaseTable, _ path: String) throws -> Int32 {
        let temporary = path + ".new"
        let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw LeaseJournalError(path: temporary, doing: "create") }
        do {
            try append(table.sorted.map(line).joined(), to: file, path: temporary)
            guard rename(temporary, path) == 0 else { throw LeaseJournalError(path: path, doing: "rename into place") }
            try syncDirectory(of: path)
        } catch {
            close(file)
            throw error
        }
        return file
    }

    /// The new name is durable before anything is appended under it: a power cut must not bring the old file back.
    private static func syncDirectory(of path: String) throws {
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let descriptor = Glibc.open(directory.isEmpty ? "." : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LeaseJournalError(path: directory, doing: "open the directory of") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw LeaseJournalError(path: directory, doing: "sync the directory of") }
    }

    private static func append(_ text: String, to file: Int32, path: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard written > 0 else { throw LeaseJournalError(path: path, doing: "write") }
            rest = rest.dropFirst(written)
        }
        guard fdatasync(file) == 0 else { throw LeaseJournalError(path: path, doing: "sync") }
    }

    private static func line(_ lease: Lease) -> String {
        "{\"mac\":\"\(lease.mac)\",\"address\":\"\(lease.address)\",\"expires\":\(lease.expires.timeIntervalSince1970)}\n"
    }

    private struct Line: Codable {
        var mac: MACAddress
        var address: IPv4Address
        var expires: Double
    }

    private static func load(_ path: String) throws -> LeaseTable {
        guard access(path, F_OK) == 0 else { return LeaseTable() }
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw LeaseJournalError(path: path, doing: "open") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(file, &chunk, chunk.count)
            guard count >= 0 else { throw LeaseJournalError(path: path, doing: "read") }
            guard count > 0 else { break }
            bytes += chunk.prefix(count)
        }
        var table = LeaseTable()
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)) else { continue }
            table.insert(
                Lease(mac: entry.mac, address: entry.address, expires: Date(timeIntervalSince1970: entry.expires)))
        }
        return table
    }
}

/// The lease journal cannot be used.
public struct LeaseJournalError: Error, CustomStringConvertible {
    public let description: String

    init(path: String, doing: String) {
        description = "cannot \(doing) the lease journal \(path): \(String(cString: strerror(errno)))"
    }
}
