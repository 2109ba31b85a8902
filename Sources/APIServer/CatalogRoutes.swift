import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import ImageLibrary
import Machines
import Store

/// `/api/v1/operating-systems`, `/api/v1/os-releases`, `/api/v1/release-fetches`, `/api/v1/images`.
struct CatalogRoutes {
    let store: any RecordStore
    let catalog: CatalogService
    let images: ImageLibrary.Library
    let fetcher: ReleaseFetcher
    let library: LibraryKeeper

    func register(on group: RouterGroup<APIContext>) {
        group.get("operating-systems", use: listSystems)
            .get("os-releases", use: listReleases)
            .get("release-fetches", use: listFetches)
            .post("release-fetches", use: beginFetch)
            .get("release-fetches/{id}", use: showFetch)
            .post("os-releases", use: addRelease)
            .patch("os-releases/{name}", use: changeRelease)
            .delete("os-releases/{name}", use: removeRelease)
            .post("library/verify", use: verify)
            .post("library/prune", use: prune)
            .head("images/{digest}", use: hasImage)
            .put("images/{digest}", use: putImage)
    }

    @Sendable func listSystems(_ request: Request, context: APIContext) async throws -> Response {
        try .json(ListView(items: catalog.systems(), revision: 0))
    }

    @Sendable func listFetches(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(ReleaseFetch.self)
        let items = page.items.sorted { $0.createdAt > $1.createdAt }.map { view(of: $0) }
        return try .json(ListView(items: items, revision: page.revision))
    }

    @Sendable func showFetch(_ request: Request, context: APIContext) async throws -> Response {
        let id: String = try context.parameters.require("id")
        guard let fetch = try await store.get(ReleaseFetch.self, id) else {
            throw ServiceError(.notFound, "there is no fetch \(id.debugDescription)")
        }
        return try .json(view(of: fetch))
    }

    @Sendable func beginFetch(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(ReleaseFetchRequest.self)
        try await check(body.files?.artifacts ?? [:], field: "files.artifacts")
        let fetch = try await fetcher.begin(body, by: context.actor)
        return try .json(view(of: fetch), status: .accepted)
    }

    private func view(of fetch: ReleaseFetch) -> ReleaseFetchView {
        ReleaseFetchView(fetch, progress: fetcher.progress(of: fetch.id))
    }

    @Sendable func listReleases(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(OSRelease.self)
        var views: [OSReleaseView] = []
        for release in page.items.sorted(by: { $0.name < $1.name }) { views.append(await view(of: release)) }
        return try .json(ListView(items: views, revision: page.revision))
    }

    @Sendable func addRelease(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(OSReleaseRequest.self)
        try await check(body.artifacts, field: "artifacts")
        let release = try await catalog.add(
            release: OSRelease(
                id: Credential.identifier("r"), name: body.name, os: body.os, version: body.version,
                architecture: body.architecture,
                route: body.route ?? catalog.route(of: body.os, with: body.artifacts.keys),
                artifacts: body.artifacts, parameters: body.parameters ?? [:],
                minimumDiskBytes: body.minimumDiskBytes, labels: body.labels, createdAt: Date()),
            by: context.actor)
        return try .json(await view(of: release), status: .created)
    }

    @Sendable func changeRelease(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(OSReleaseChange.self)
        let name: String = try context.parameters.require("name")
        let release = try await catalog.set(plainHTTP: body.allowsPlainHTTP, of: name, by: context.actor)
        return try .json(await view(of: release))
    }

    /// All of them are in the library.
    private func check(_ artifacts: [ArtifactRole: Artifact], field: String) async throws {
        for (role, artifact) in artifacts where await images.path(ofImage: artifact.sha256) == nil {
            throw ServiceError(
                .conflict,
                "the library holds no file \(artifact.sha256); send it first with PUT /api/v1/images/{sha256}",
                field: "\(field).\(role.rawValue).sha256")
        }
    }

    @Sendable func removeRelease(_ request: Request, context: APIContext) async throws -> Response {
        try await catalog.removeRelease(try context.parameters.require("name"), by: context.actor)
        return .noContent
    }

    /// `?release=`: only its files.
    @Sendable func verify(_ request: Request, context: APIContext) async throws -> Response {
        let release = request.uri.queryParameters["release"].map(String.init)
        return try .json(try await library.verify(release, by: context.actor))
    }

    /// `?dryRun=true`: nothing is removed.
    @Sendable func prune(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await library.prune(isTrial: request.flag("dryRun"), by: context.actor))
    }

    @Sendable func hasImage(_ request: Request, context: APIContext) async throws -> Response {
        let digest = try context.parameters.require("digest")
        return await images.path(ofImage: digest) == nil ? Response(status: .notFound) : Response(status: .ok)
    }

    @Sendable func putImage(_ request: Request, context: APIContext) async throws -> Response {
        let digest = try context.parameters.require("digest")
        try await images.add(digest: digest, body: request.body)
        return .noContent
    }

    private func view(of release: OSRelease) async -> OSReleaseView {
        for artifact in release.artifacts.values where await images.path(ofImage: artifact.sha256) == nil {
            return OSReleaseView(release, cached: false)
        }
        return OSReleaseView(release, cached: true)
    }
}
