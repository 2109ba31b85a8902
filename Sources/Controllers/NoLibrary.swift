import FoundationEssentials
import Machines

/// An image library that has nothing and fetches nothing.
public struct NoLibrary: ImageFetching, ImageShelf {
    struct Unavailable: Error, CustomStringConvertible { var description: String { "nothing is fetched here" } }

    public init() {}

    public func text(at url: String, limit: Int) async throws -> String { throw Unavailable() }

    public func fetch(
        _ url: String, expecting digest: FileDigest, asImage: Bool,
        progress: @escaping @Sendable (Int64, Int64?) -> Void
    ) async throws -> FetchedFile { throw Unavailable() }

    public func files() throws -> [ShelvedFile] { [] }
    public func verify(_ digest: String) async throws -> Bool { false }
    public func remove(_ digest: String) throws {}
    public func removeLeftovers(before: Date) throws {}
}
