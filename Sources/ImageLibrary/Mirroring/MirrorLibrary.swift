import AsyncHTTPClient
import Foundation
import Logging
import Machines
import NIOCore

/// Images of another daemon, fetched when somebody asks, each once for however many wait for it, and kept until others need the room. It
/// decides nothing and knows no secrets; a file is what its digest says.
public actor MirrorLibrary: ImageSource {
    private let library: Library
    private let origin: String
    /// Bytes of all files.
    private let limit: Int64
    private let logger: Logger
    private var fetches: [String: MirrorFetch] = [:]
    private let asked: AsyncStream<(String, MirrorFetch)>
    private let ask: AsyncStream<(String, MirrorFetch)>.Continuation

    /// Files that are fetched at once; more of them wait.
    private static let atOnce = 8

    /// - Parameters:
    ///   - library: without a quota; only this mirror uses it.
    ///   - origin: `http://10.77.0.1:8080`.
    public init(library: Library, origin: String, limit: Int64, logger: Logger) {
        (self.library, self.origin, self.limit, self.logger) = (library, origin, limit, logger)
        (asked, ask) = AsyncStream.makeStream()
    }

    public func path(ofImage digest: String) async -> String? { await library.path(ofImage: digest) }

    public func image(_ digest: String) async -> ServedImage? {
        if let path = await library.path(ofImage: digest) {
            // Its date says when it was last asked for.
            utimes(path, nil)
            return ServedImage(path: path)
        }
        guard Library.isDigest(digest) else { return nil }
        let fetch = fetches[digest] ?? begin(digest)
        do {
            try await fetch.begun()
            return ServedImage(path: fetch.path, growth: fetch)
        } catch {
            return nil
        }
    }

    private func begin(_ digest: String) -> MirrorFetch {
        let fetch = MirrorFetch(digest, from: origin, in: library.directory)
        fetches[digest] = fetch
        ask.yield((digest, fetch))
        return fetch
    }

    /// Fetches what is asked for, until it is cancelled.
    public func run() async throws {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout = .init(connect: .seconds(10), read: .seconds(30))
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await (digest, fetch) in asked {
                if running == Self.atOnce { await group.next() } else { running += 1 }
                group.addTask { await self.carryOut(digest, fetch, client) }
            }
            group.cancelAll()
        }
        try await client.shutdown()
    }

    private func carryOut(_ digest: String, _ fetch: MirrorFetch, _ client: HTTPClient) async {
        do {
            try await fetch.run(client) { try await self.makeRoom(for: $0) }
            try library.adopt(fetch.path, as: digest)
        } catch {
            logger.warning(
                "a file was not mirrored; machines fetch it from the main daemon",
                metadata: ["image.sha256": "\(digest)", "error": "\(error)"])
        }
        fetches[digest] = nil
    }

    private func makeRoom(for bytes: Int64) throws {
        let coming = bytes + fetches.values.reduce(0) { $0 + $1.bytes }
        guard let leaving = MirrorRoom.leaving(try library.files(), coming: coming, limit: limit) else {
            throw FetchError(
                "\(bytes >> 20) MiB do not fit into the \(limit >> 30) GiB of this mirror (mirror_limit_gib)")
        }
        for digest in leaving {
            try library.remove(digest)
            logger.info("an image left the mirror for another", metadata: ["image.sha256": "\(digest)"])
        }
    }
}
