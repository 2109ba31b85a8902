import FoundationEssentials
import Machines

/// An image library that has nothing and fetches nothing.
public struct NoLibrary: ImageFetching, ImageShelf {
    struct Unavailable: Error, CustomStringConvertible { var description: String { "nothing is fetched here" } }

    public init() {}

    public func place(ofKeysOf system: String) -> String { "a library" }
    public func hasKeys(of system: String) -> Bool { false }

    public func text(at url: String, limit: Int, signature: TextSignature?) async throws -> FetchedText {
        throw Unavailable()
    }

    public func fetch(
        _ url: String, expecting digest: FileDigest, signature: DetachedSignature?, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile { throw Unavailable() }

    public func digest(of reference: OCIReference) async throws -> FileDigest { throw Unavailable() }

    public func fetch(
        _ reference: OCIReference, architecture: String, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile { throw Unavailable() }

    public func files() throws -> [ShelvedFile] { [] }
    public func verify(_ digest: String) async throws -> Bool { false }
    public func remove(_ digest: String) throws {}
    public func removeLeftovers(before: Date) throws {}
}
