import FoundationEssentials

/// Files of the image library by their SHA-256, for the boot HTTP server.
public protocol ImageSource: Sendable {
    /// The path of the verified file whose SHA-256 is `digest` (64 hex digits), nil when the library does not hold it.
    func path(ofImage digest: String) async -> String?
    /// The same, or one that is still on its way.
    func image(_ digest: String) async -> ServedImage?
}

extension ImageSource {
    public func image(_ digest: String) async -> ServedImage? {
        await path(ofImage: digest).map { ServedImage(path: $0) }
    }
}

/// A file of the library as it is served.
public struct ServedImage: Sendable {
    public var path: String
    /// Nil: all of it is there.
    public var growth: (any FileGrowth)?

    public init(path: String, growth: (any FileGrowth)? = nil) { (self.path, self.growth) = (path, growth) }
}

/// A file that is served while it comes.
public protocol FileGrowth: Sendable {
    /// Bytes of all of it.
    var bytes: Int64 { get }
    /// Waits until more than `offset` bytes are there, and says how many.
    /// - Throws: an error whose description is for a person, when no more will come.
    func length(beyond offset: Int64) async throws -> Int64
}

/// Brings files into the image library from where their makers publish them.
public protocol ImageFetching: Sendable {
    /// Where the keys of a system's makers are looked for, for a person.
    func place(ofKeysOf system: String) -> String
    /// Whether there are any. What is to be signed by a system whose keys are not there is an error.
    func hasKeys(of system: String) -> Bool
    /// A small text, such as a list of digests.
    /// - Parameter signature: without one of those keys nothing is taken; nil: none is looked for.
    /// - Throws: an error whose description is for a person.
    func text(at url: String, limit: Int, signature: TextSignature?) async throws -> FetchedText
    /// A file, compared with its digest, and kept under its SHA-256. What a cut left of it is gone on with.
    /// - Parameters:
    ///   - signature: without one of those keys nothing is taken; nil: none is looked for.
    ///   - asImage: what it is packed with is undone, and the raw disk image kept in zstd.
    ///   - progress: bytes so far, and of all where that is known.
    /// - Throws: an error whose description is for a person; then nothing is kept under a digest.
    func fetch(
        _ url: String, expecting digest: FileDigest, signature: DetachedSignature?, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile
    /// The digest of what a reference without one means now.
    /// - Throws: an error whose description is for a person.
    func digest(of reference: OCIReference) async throws -> FileDigest
    /// A file of an artifact in a registry, compared with the digests that its reference leads to, as the other is.
    /// - Parameter architecture: chooses in an index of manifests: `amd64`, `arm64`.
    func fetch(
        _ reference: OCIReference, architecture: String, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile
}

/// A signature (OpenPGP, RFC 9580) in a file of its own.
public struct DetachedSignature: Equatable, Sendable {
    public var url: String
    /// The system whose makers' keys count.
    public var system: String

    public init(_ url: String, by system: String) { (self.url, self.system) = (url, system) }
}

/// The signature of a text.
public enum TextSignature: Equatable, Sendable {
    case detached(DetachedSignature)
    /// Around the text itself (RFC 9580 section 7), by the makers of that system.
    case clear(by: String)
}

public struct FetchedText: Equatable, Sendable {
    /// What was signed, where a signature was asked for.
    public var text: String
    /// The fingerprint of the key that signed it; nil: none was asked for.
    public var signer: String?

    public init(_ text: String, signer: String? = nil) { (self.text, self.signer) = (text, signer) }
}

/// A file that is in the library.
public struct FetchedFile: Equatable, Sendable {
    public var sha256: String
    public var bytes: Int64
    public var compression: InstallOrder.Compression
    /// What it unpacks to.
    public var rawBytes: Int64
    /// The fingerprint of the key that signed it as it was published; nil: none was asked for.
    public var signer: String?
    /// What its makers call it; nil: that is known from elsewhere, or not at all.
    public var name: String?

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
