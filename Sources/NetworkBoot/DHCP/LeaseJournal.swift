import FoundationEssentials
import Glibc
import NIOPosix
import NetworkAddresses

/// The leases on disk: one JSON line for each change, appended and synced before its ACK leaves. A line torn by a power cut is
/// passed over; at start the file is written anew with what still counts.
public actor LeaseJournal {
    private let path: String
    private var file: Int32
    private var waiting: [(lease: Lease, done: CheckedContinuation<Void, any Error>)] = []
    private var isWriting = false

    /// Opens the journal, or makes it.
    /// - Returns: the journal, and the leases it held.
    /// - Throws: ``LeaseJournalError``.
    public static func open(_ path: String) throws -> (LeaseJournal, [Lease]) {
        let leases = try load(path)
        let temporary = path + ".new"
        let text = leases.map { line($0) }.joined()
        let file = Glibc.open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw LeaseJournalError(path: temporary, doing: "create") }
        do {
            try append(text, to: file, path: temporary)
            guard rename(temporary, path) == 0 else { throw LeaseJournalError(path: path, doing: "rename into place") }
        } catch {
            close(file)
            throw error
        }
        return (LeaseJournal(path: path, file: file), leases)
    }

    private init(path: String, file: Int32) { (self.path, self.file) = (path, file) }

    deinit { close(file) }

    /// Returns when the lease is on disk. Leases that wait together share one sync.
    public func append(_ lease: Lease) async throws {
        try await withCheckedThrowingContinuation { done in
            waiting.append((lease, done))
            writeNext()
        }
    }

    private func writeNext() {
        guard !isWriting, !waiting.isEmpty else { return }
        isWriting = true
        let group = waiting
        waiting = []
        let (file, path, text) = (file, path, group.map { Self.line($0.lease) }.joined())
        // A thread that may block: the sync takes as long as the disk takes.
        NIOThreadPool.singleton.submit { _ in
            let result = Result { try Self.append(text, to: file, path: path) }
            for (_, done) in group { done.resume(with: result) }
            Task { await self.written() }
        }
    }

    private func written() {
        isWriting = false
        writeNext()
    }

    private static func append(_ text: String, to file: Int32, path: String) throws {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
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

    private static func load(_ path: String) throws -> [Lease] {
        guard access(path, F_OK) == 0 else { return [] }
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
        var leases: [MACAddress: Lease] = [:]
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let entry = try? JSONDecoder().decode(Line.self, from: Data(line)) else { continue }
            leases[entry.mac] = Lease(
                mac: entry.mac, address: entry.address, expires: Date(timeIntervalSince1970: entry.expires))
        }
        return leases.values.sorted { $0.address < $1.address }
    }
}

/// The lease journal cannot be used.
public struct LeaseJournalError: Error, CustomStringConvertible {
    public let description: String

    init(path: String, doing: String) {
        description = "cannot \(doing) the lease journal \(path): \(String(cString: strerror(errno)))"
    }
}
