import APIModel
import FoundationEssentials
import Logging
import Machines
import OperatingSystems
import ServiceLifecycle
import Store
import Synchronization

/// Brings releases into the library from where their makers publish them, one at a time, also those that an earlier daemon began.
public struct ReleaseFetcher: Service, Sendable {
    let store: any RecordStore
    let catalog: CatalogService
    let images: any ImageFetching
    let logger: Logger
    let now: @Sendable () -> Date
    private let board = Board()

    init(
        store: any RecordStore, catalog: CatalogService, images: any ImageFetching, logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        (self.store, self.catalog, self.images) = (store, catalog, images)
        (self.logger, self.now) = (logger, now)
    }

    /// How far each file of a fetch is: bytes, and of all where that is known.
    public typealias Progress = [ArtifactRole: (bytes: Int64, total: Int64?)]

    private final class Board: Sendable {
        let progress = Mutex<[String: Progress]>([:])
        let (asked, ask) = AsyncStream.makeStream(of: String.self)
    }

    /// - Throws: ``ServiceError``.
    public func begin(_ request: ReleaseFetchRequest, by actor: String) async throws -> ReleaseFetch {
        guard let driver = OperatingSystemCatalog.driver(named: request.os) else {
            throw ServiceError(
                .invalid, "no driver installs \(request.os.debugDescription); see `slipway os systems`", field: "os")
        }
        if case .impossible(let reason) = driver.support {
            throw ServiceError(.invalid, "\(request.os) cannot be installed on a machine: \(reason)", field: "os")
        }
        guard let published = driver.published(version: request.version, architecture: request.architecture) else {
            throw ServiceError(
                .invalid,
                "\(request.os) \(request.version) for \(request.architecture) is not published under names that Slipway knows: add its files by a release.json",
                field: "version")
        }
        let roles = Set(published.files.map(\.role))
        let route = request.route ?? driver.route(with: roles)
        let wanted = driver.artifacts(for: route)
        guard driver.routes.contains(route), Set(wanted).isSubset(of: roles) else {
            throw ServiceError(
                .invalid, "\(request.os) is not published with all that an install by \(route.rawValue) takes",
                field: "route")
        }
        let name =
            request.name ?? "\(request.os)-\(request.version)"
            + (request.architecture == "amd64" ? "" : "-\(request.architecture)")
        try CatalogService.check(name: name)
        let files = published.files.filter { wanted.contains($0.role) }.map {
            ReleaseFetch.File(role: $0.role, url: $0.url)
        }
        let known = try await store.list(ReleaseFetch.self).items.first { $0.name == name && $0.state == .running }
        if let known { return known }
        let fetch = ReleaseFetch(
            id: Credential.identifier("f"), name: name, os: request.os, version: request.version,
            architecture: request.architecture, route: route, files: files, requestedBy: actor, createdAt: now())
        try await store.transaction { transaction in
            try transaction.put(fetch)
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor, "OS release \(name) is being fetched",
                    details: ["fetch": fetch.id], at: now()))
        }
        board.ask.yield(fetch.id)
        return fetch
    }

    public func progress(of id: String) -> Progress { board.progress.withLock { $0[id] ?? [:] } }

    public func run() async throws {
        for fetch in try await store.list(ReleaseFetch.self).items.sorted(by: { $0.createdAt < $1.createdAt })
        where fetch.state == .running { board.ask.yield(fetch.id) }
        for await id in board.asked.cancelOnGracefulShutdown() {
            do {
                // What is not done when the daemon ends is gone on with by the next.
                try await cancelWhenGracefulShutdown { try await fetch(id) }
            } catch is CancellationError {
                return
            } catch {
                logger.warning("a fetch cannot be written down", metadata: ["fetch": "\(id)", "error": "\(error)"])
            }
        }
    }

    private func fetch(_ id: String) async throws {
        guard var fetch = try await store.get(ReleaseFetch.self, id), fetch.state == .running else { return }
        do {
            try await bring(&fetch)
            (fetch.state, fetch.finishedAt) = (.succeeded, now())
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            (fetch.state, fetch.error, fetch.finishedAt) = (.failed, "\(error)", now())
            logger.error("fetching a release failed", metadata: ["release": "\(fetch.name)", "error": "\(error)"])
        }
        let done = fetch
        try await store.transaction { transaction in
            try await keep(done, in: transaction)
            guard let error = done.error else { return }
            try transaction.put(
                Event.now(
                    .problem, machine: nil, actor: "library", "OS release \(done.name) could not be fetched: \(error)",
                    details: ["fetch": done.id], at: now()))
        }
        board.progress.withLock { $0[id] = nil }
    }

    /// Nobody else writes a fetch that is under way.
    private func keep(_ fetch: ReleaseFetch, in transaction: Transaction) async throws {
        _ = try await transaction.get(ReleaseFetch.self, fetch.id)
        try transaction.put(fetch)
    }

    private func bring(_ fetch: inout ReleaseFetch) async throws {
        guard let driver = OperatingSystemCatalog.driver(named: fetch.os),
            let published = driver.published(version: fetch.version, architecture: fetch.architecture)
        else { throw ServiceError(.notFound, "\(fetch.os) \(fetch.version) is published no more, as far as is known") }
        var digests = PublishedDigests(images: images, system: fetch.os)
        for index in fetch.files.indices where fetch.files[index].artifact == nil {
            let role = fetch.files[index].role
            guard let file = published.files.first(where: { $0.role == role }) else { continue }
            let (digest, signer) = try await digests.digest(of: file)
            let (id, board) = (fetch.id, board)
            let found = try await images.fetch(
                file.url, expecting: digest, signature: digests.signature(of: file), asImage: role == .image
            ) { bytes, total in
                board.progress.withLock { $0[id, default: [:]][role] = (bytes, total) }
            }
            fetch.files[index].signer = found.signer ?? signer
            fetch.files[index].artifact = Artifact(
                sha256: found.sha256, bytes: found.bytes, compression: found.compression, rawBytes: found.rawBytes,
                name: found.compression == .none ? file.name : nil)
            let soFar = fetch
            try await store.transaction { transaction in try await keep(soFar, in: transaction) }
        }
        let artifacts = fetch.files.reduce(into: [ArtifactRole: Artifact]()) { $0[$1.role] = $1.artifact }
        _ = try await catalog.add(
            release: OSRelease(
                id: Credential.identifier("r"), name: fetch.name, os: fetch.os, version: fetch.version,
                architecture: fetch.architecture, route: fetch.route ?? driver.route(with: artifacts.keys),
                artifacts: artifacts, parameters: published.parameters,
                minimumDiskBytes: max(published.minimumDiskBytes, artifacts[.image]?.rawBytes ?? 0),
                proof: ReleaseProof(files: fetch.files.map(\.signer)), createdAt: now()),
            by: fetch.requestedBy)
    }
}
