import Crypto
import Foundation
import Logging
import Machines
import NIOCore

/// Verified image files, each named by the SHA-256 of its content. What is in the library was checked byte by byte on its way in.
public struct Library: ImageSource {
    let directory: String
    private let logger: Logger
    /// Bytes of all files; nil: as many as there is room for.
    let quota: Int64?

    /// - Parameter directory: made when it is not there; files half written by a killed daemon are removed from it.
    public init(directory: String, quota: Int64? = nil, logger: Logger) throws {
        (self.directory, self.quota, self.logger) = (directory, quota, logger)
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            for name in try FileManager.default.contentsOfDirectory(atPath: directory)
            where name.hasSuffix(Self.partial) {
                try FileManager.default.removeItem(atPath: directory + "/" + name)
            }
        } catch {
            throw ImageError(reason: .fileSystem("the image library \(directory) cannot be used: \(error)", EIO))
        }
    }

    public func path(ofImage digest: String) async -> String? {
        guard Self.isDigest(digest) else { return nil }
        let path = directory + "/" + digest
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }

    /// Takes an image whose SHA-256 must be `digest`. An image that is there already is read to its end and dropped.
    /// - Throws: ``ImageError``; then the library is as it was.
    public func add<Body: AsyncSequence & Sendable>(digest: String, body: Body) async throws
    where Body.Element == ByteBuffer {
        guard Self.isDigest(digest) else { throw ImageError(reason: .badDigest(digest)) }
        let path = directory + "/" + digest
        let room = try room()
        let temporary = path + "." + Credential.random().prefix(8) + Self.partial
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw ImageError.fileSystem("create", temporary) }
        defer {
            close(file)
            unlink(temporary)
        }
        var hash = SHA256()
        var bytes: Int64 = 0
        for try await buffer in body {
            guard bytes + Int64(buffer.readableBytes) <= room else { throw ImageError(reason: .full(quota ?? 0)) }
            try buffer.withUnsafeReadableBytes { chunk in
                hash.update(bufferPointer: chunk)
                var rest = chunk[...]
                while !rest.isEmpty {
                    let written = write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                    guard written > 0 else { throw ImageError.fileSystem("write", temporary) }
                    rest = rest.dropFirst(written)
                }
            }
            bytes += Int64(buffer.readableBytes)
        }
        let found = Credential.hex(Array(hash.finalize()))
        guard found == digest.lowercased() else {
            throw ImageError(reason: .mismatch(expected: digest, found: found, bytes: bytes))
        }
        guard fsync(file) == 0 else { throw ImageError.fileSystem("sync", temporary) }
        guard rename(temporary, path) == 0 else { throw ImageError.fileSystem("rename", path) }
        logger.info("image stored", metadata: ["image.sha256": "\(digest)", "bytes": "\(bytes)"])
    }

    /// Bytes that may come yet.
    /// - Throws: ``ImageError``.
    func room() throws -> Int64 {
        guard let quota else { return .max }
        return max(0, quota - (try files().reduce(0) { $0 + $1.bytes }))
    }

    /// Where a file that is fetched from `source` grows. It outlives the daemon.
    func partialPath(for source: String) -> String {
        directory + "/fetch-" + Credential.hash(source).prefix(32)
    }

    /// Bytes in a file, for a tool that reads none from elsewhere.
    func withScratchFile<Result>(_ bytes: ByteBuffer, _ body: (String) async throws -> Result) async throws -> Result {
        let path = directory + "/fetch-" + Credential.random().prefix(32) + ".scratch"
        let file = try PartialFile(path)
        defer { file.remove() }
        try file.append(bytes)
        return try await body(path)
    }

    /// Takes a file that is in this directory, whose SHA-256 is known to be `digest`.
    func adopt(_ path: String, as digest: String) throws {
        guard Self.isDigest(digest) else { throw ImageError(reason: .badDigest(digest)) }
        let bytes = (try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int64) ?? 0
        guard try bytes <= room() else { throw ImageError(reason: .full(quota ?? 0)) }
        guard chmod(path, 0o644) == 0, rename(path, directory + "/" + digest) == 0 else {
            throw ImageError.fileSystem("rename", path)
        }
        logger.info("image stored", metadata: ["image.sha256": "\(digest)"])
    }

    /// Takes a file that is in this directory.
    /// - Returns: its SHA-256.
    func adopt(hashing path: String) async throws -> String {
        let digest = try await FileDigests.of(path)[.sha256] ?? ""
        try adopt(path, as: digest)
        return digest
    }

    static func size(of path: String) throws -> Int64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw ImageError.fileSystem("look at", path) }
        return Int64(status.st_size)
    }

    static let partial = ".partial"

    /// 64 lower-case hex digits: no other name is ever looked for in the directory.
    static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// Why an image was not stored.
public struct ImageError: Error, CustomStringConvertible {
    enum Reason: Equatable {
        case badDigest(String)
        case mismatch(expected: String, found: String, bytes: Int64)
        case fileSystem(String, Int32)
        /// Bytes of the quota.
        case full(Int64)
    }

    let reason: Reason

    /// The bytes are not those of the name.
    public var isMismatch: Bool {
        switch reason {
        case .badDigest, .mismatch: true
        case .fileSystem, .full: false
        }
    }

    public var isOutOfSpace: Bool {
        switch reason {
        case .fileSystem(_, let code): code == ENOSPC || code == EDQUOT
        case .full: true
        case .badDigest, .mismatch: false
        }
    }

    public var description: String {
        switch reason {
        case .badDigest(let text): "\(text.debugDescription) is not a SHA-256 in 64 lower-case hex digits"
        case .mismatch(let expected, let found, let bytes):
            "the \(bytes) bytes received have SHA-256 \(found), not \(expected); nothing was stored"
        case .full(let quota):
            "the image library may have \(quota >> 30) GiB (library_limit_gib): `slipway os remove`, then `slipway os prune`; nothing was stored"
        case .fileSystem(let words, let code):
            code == ENOSPC || code == EDQUOT
                ? "no space left for images: \(words); make room, nothing was stored" : words
        }
    }

    static func fileSystem(_ doing: String, _ path: String) -> ImageError {
        let code = errno
        return ImageError(reason: .fileSystem("cannot \(doing) \(path): \(String(cString: strerror(code)))", code))
    }
}
