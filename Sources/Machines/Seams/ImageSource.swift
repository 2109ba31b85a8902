import FoundationEssentials

/// Files of the image library by their SHA-256, for the boot HTTP server.
public protocol ImageSource: Sendable {
    /// The path of the verified file whose SHA-256 is `digest` (64 hex digits), nil when the library does not hold it.
    func path(ofImage digest: String) async -> String?
}

/// Brings files into the image library from where their makers publish them.
public protocol ImageFetching: Sendable {
    /// A small text, such as a list of digests.
    /// - Throws: an error whose description is for a person.
    func text(at url: String, limit: Int) async throws -> String
    /// A file, compared with its digest, and kept under its SHA-256. What a cut left of it is gone on with.
    /// - Parameters:
    ///   - asImage: what it is packed with is undone, and the raw disk image kept in zstd.
    ///   - progress: bytes so far, and of all where that is known.
    /// - Throws: an error whose description is for a person; then nothing is kept under a digest.
    func fetch(
        _ url: String, expecting digest: FileDigest, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile
}

/// A file that is in the library.
public struct FetchedFile: Equatable, Sendable {
    public var sha256: String
    public var bytes: Int64
    public var compression: InstallOrder.Compression
    /// What it unpacks to.
    public var rawBytes: Int64

    public init(sha256: String, bytes: Int64, compression: InstallOrder.Compression = .none, rawBytes: Int64? = nil) {
        (self.sha256, self.bytes, self.compression, self.rawBytes) = (sha256, bytes, compression, rawBytes ?? bytes)
    }
}

/// The image library as a shelf: what stands on it, and whether it is still what it was.
public protocol ImageShelf: Sendable {
    /// Every file, the oldest first.
    func files() throws -> [ShelvedFile]
    /// Reads a file to its end. False: it is not what its name says.
    func verify(_ digest: String) async throws -> Bool
    func remove(_ digest: String) throws
    /// Removes what was left of fetches that nobody has gone on with since.
    func removeLeftovers(before: Date) throws
}

/// A file of the library.
public struct ShelvedFile: Equatable, Sendable {
    /// SHA-256: its name.
    public var sha256: String
    public var bytes: Int64
    public var storedAt: Date

    public init(sha256: String, bytes: Int64, storedAt: Date) {
        (self.sha256, self.bytes, self.storedAt) = (sha256, bytes, storedAt)
    }
}
