import Crypto
import Foundation
import Machines
import NIOCore
import NIOPosix
import Synchronization

/// A file that is on its way, kept over a cut.
final class PartialFile: Sendable {
    let path: String
    private let file: Int32
    private let bytes: Mutex<Int64>

    /// Opens it, or makes it.
    init(_ path: String) throws {
        self.path = path
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ImageError.fileSystem("create", path) }
        // Two fetches of one file would write over each other.
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            throw FetchError("the same file is being fetched already")
        }
        bytes = Mutex(Int64(lseek(file, 0, SEEK_END)))
    }

    deinit { close(file) }

    var length: Int64 { bytes.withLock { $0 } }

    func truncate(to length: Int64) throws {
        guard ftruncate(file, off_t(length)) == 0 else { throw ImageError.fileSystem("truncate", path) }
        bytes.withLock { $0 = length }
    }

    func append(_ buffer: ByteBuffer) throws {
        let start = length
        try buffer.withUnsafeReadableBytes { chunk in
            var (rest, offset) = (chunk[...], start)
            while !rest.isEmpty {
                let written = pwrite(
                    file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count, off_t(offset))
                guard written > 0 else { throw ImageError.fileSystem("write", path) }
                (rest, offset) = (rest.dropFirst(written), offset + Int64(written))
            }
        }
        bytes.withLock { $0 = start + Int64(buffer.readableBytes) }
    }

    /// Of all that is there, as it lies on the disk.
    func digests() async throws -> [FileDigest.Algorithm: String] {
        guard fsync(file) == 0 else { throw ImageError.fileSystem("sync", path) }
        return try await FileDigests.of(path)
    }

    func remove() { unlink(path) }
}

enum FileDigests {
    /// Reads a file to its end, on a thread that may wait for its disk.
    /// - Throws: ``ImageError``, `CancellationError`.
    static func of(_ path: String) async throws -> [FileDigest.Algorithm: String] {
        let reading = Reading()
        return try await withTaskCancellationHandler {
            try await NIOThreadPool.singleton.runIfActive { try reading.digests(of: path) }
        } onCancel: {
            reading.isCancelled.store(true, ordering: .relaxed)
        }
    }
}

private final class Reading: Sendable {
    let isCancelled = Atomic(false)

    func digests(of path: String) throws -> [FileDigest.Algorithm: String] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw ImageError.fileSystem("open", path) }
        defer { close(file) }
        var (sha256, sha512) = (SHA256(), SHA512())
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(file, $0.baseAddress, $0.count) }
            guard count >= 0 else { throw ImageError.fileSystem("read", path) }
            if count == 0 { break }
            buffer.withUnsafeBytes { bytes in
                let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                sha256.update(bufferPointer: part)
                sha512.update(bufferPointer: part)
            }
            if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
        }
        return [
            .sha256: Credential.hex(Array(sha256.finalize())), .sha512: Credential.hex(Array(sha512.finalize())),
        ]
    }
}
