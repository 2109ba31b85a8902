import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import ImageLibrary
import Machines
import Store

/// `/api/v1/os-releases`, `/api/v1/images`, `/api/v1/clusters`.
struct CatalogRoutes {
    let store: any RecordStore
    let catalog: CatalogService
    let images: ImageLibrary.Library

    func register(on group: RouterGroup<APIContext>) {
        group.get("os-releases", use: listReleases)
            .post("os-releases", use: addRelease)
            .delete("os-releases/{name}", use: removeRelease)
            .get("clusters", use: listClusters)
            .post("clusters", use: addCluster)
            .delete("clusters/{name}", use: removeCluster)
            .head("images/{digest}", use: hasImage)
            .put("images/{digest}", use: putImage)
    }

    @Sendable func listReleases(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(OSRelease.self)
        var views: [OSReleaseView] = []
        for release in page.items.sorted(by: { $0.name < $1.name }) { views.append(await view(of: release)) }
        return try .json(ListView(items: views, revision: page.revision))
    }

    @Sendable func addRelease(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(OSReleaseRequest.self)
        for (role, artifact) in body.artifacts where await images.path(ofImage: artifact.sha256) == nil {
            throw ServiceError(
                .conflict,
                "the library holds no file \(artifact.sha256); send it first with PUT /api/v1/images/{sha256}",
                field: "artifacts.\(role.rawValue).sha256")
        }
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

    @Sendable func listClusters(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(Cluster.self)
        let nodes = Dictionary(grouping: try await store.list(Node.self).items, by: \.cluster)
        let views = page.items.sorted { $0.name < $1.name }.map { ClusterView($0, nodes: nodes[$0.name] ?? []) }
        return try .json(ListView(items: views, revision: page.revision))
    }

    @Sendable func addCluster(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(ClusterRequest.self)
        let cluster = try await catalog.add(
            cluster: Cluster(
                id: Credential.identifier("c"), name: body.name, flavor: body.kind, labels: body.labels,
                createdAt: Date()),
            by: context.actor)
        return try .json(ClusterView(cluster, nodes: []), status: .created)
    }

    @Sendable func removeRelease(_ request: Request, context: APIContext) async throws -> Response {
        try await catalog.removeRelease(try context.parameters.require("name"), by: context.actor)
        return .noContent
    }

    @Sendable func removeCluster(_ request: Request, context: APIContext) async throws -> Response {
        try await catalog.removeCluster(try context.parameters.require("name"), by: context.actor)
        return .noContent
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
