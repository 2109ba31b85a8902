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
        let factory = try Self.factory(of: request)
        let published = request.files == nil ? try Self.published(request, driver, by: factory) : nil
        let known =
            if let files = request.files {
                try await Self.files(files, images)
            } else {
                (published?.files ?? []).map { ReleaseFetch.File(role: $0.role, url: $0.url) }
            }
        let roles = Set(known.map(\.role))
        let route = request.route ?? driver.route(with: roles)
        let wanted = driver.artifacts(for: route)
        guard driver.routes.contains(route), Set(wanted).isSubset(of: roles) else {
            throw ServiceError(
                .invalid,
                "\(request.os) by \(route.rawValue) takes \(wanted.map(\.rawValue).joined(separator: ", ")), and there are not all of them",
                field: "route")
        }
        // What a person names may be for a template of theirs.
        let files = request.files == nil ? known.filter { wanted.contains($0.role) } : known
        let details = request.files.map {
            ReleaseFetch.Details(parameters: $0.parameters ?? [:], minimumDiskBytes: $0.minimumDiskBytes ?? 0)
        }
        let digests = try Self.digests(
            request.digests ?? [:], of: (published?.files ?? []).filter { wanted.contains($0.role) })
        let name =
            request.name ?? "\(request.os)-\(request.version)"
            + (factory.map { "-\($0.schematic.prefix(8))" } ?? "")
            + (request.architecture == "amd64" ? "" : "-\(request.architecture)")
        try CatalogService.check(name: name)
        if let taken = try await store.list(OSRelease.self).items.first(where: { $0.name == name }),
            (taken.os, taken.version, taken.architecture) != (request.os, request.version, request.architecture)
        {
            throw ServiceError(
                .conflict,
                "the release \(name) exists, and is another: \(taken.os) \(taken.version) for \(taken.architecture)",
                field: "name")
        }
        let running = try await store.list(ReleaseFetch.self).items.first { $0.name == name && $0.state == .running }
        if let running { return running }
        let fetch = ReleaseFetch(
            id: Credential.identifier("f"), name: name, os: request.os, version: request.version,
            architecture: request.architecture, route: route, files: files, details: details, factory: request.factory,
            digests: digests.isEmpty ? nil : digests, requestedBy: actor, createdAt: now())
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
        guard let driver = OperatingSystemCatalog.driver(named: fetch.os) else {
            throw ServiceError(.notFound, "no driver installs \(fetch.os)")
        }
        let factory = try fetch.factory.map(Self.factory)
        let published = driver.published(version: fetch.version, architecture: fetch.architecture, by: factory)
        var digests = PublishedDigests(images: images, system: fetch.os, said: fetch.digests ?? [:], factory: factory)
        for index in fetch.files.indices where fetch.files[index].artifact == nil {
            let role = fetch.files[index].role
            let (id, board) = (fetch.id, board)
            let progress: @Sendable (Int64, Int64?) -> Void = { bytes, total in
                board.progress.withLock { $0[id, default: [:]][role] = (bytes, total) }
            }
            var found: FetchedFile
            if fetch.details != nil {
                found = try await images.fetch(
                    OCIReference(parsing: fetch.files[index].url), architecture: fetch.architecture,
                    asImage: role == .image, progress: progress)
            } else if let file = published?.files.first(where: { $0.role == role }) {
                let (digest, signer) = try await digests.digest(of: file)
                do {
                    found = try await images.fetch(
                        file.url, expecting: digest, signature: digests.signature(of: file), asImage: role == .image,
                        progress: progress)
                } catch let error where !(error is CancellationError) {
                    throw factory.map { ServiceError(.notFound, "\(error); \($0.advice)") } ?? error
                }
                found.signer = found.signer ?? signer
                found.name = file.name
            } else {
                throw ServiceError(
                    .notFound, "\(fetch.os) \(fetch.version) is published no more, as far as is known")
            }
            fetch.files[index].signer = found.signer
            fetch.files[index].artifact = Artifact(
                sha256: found.sha256, bytes: found.bytes, compression: found.compression, rawBytes: found.rawBytes,
                name: found.compression == .none ? found.name : nil)
            let soFar = fetch
            try await store.transaction { transaction in try await keep(soFar, in: transaction) }
        }
        let artifacts = fetch.files.reduce(into: [ArtifactRole: Artifact]()) { $0[$1.role] = $1.artifact }
        _ = try await catalog.add(
            release: OSRelease(
                id: Credential.identifier("r"), name: fetch.name, os: fetch.os, version: fetch.version,
                architecture: fetch.architecture, route: fetch.route ?? driver.route(with: artifacts.keys),
                artifacts: artifacts, parameters: fetch.details?.parameters ?? published?.parameters ?? [:],
                minimumDiskBytes: max(
                    fetch.details?.minimumDiskBytes ?? published?.minimumDiskBytes ?? 0,
                    artifacts[.image]?.rawBytes ?? 0),
                proof: fetch.details == nil ? ReleaseProof(files: fetch.files.map(\.signer)) : nil, createdAt: now()),
            by: fetch.requestedBy)
    }
}
