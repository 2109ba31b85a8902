import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines
import Store

/// `/api/v1/clusters`.
struct ClusterRoutes {
    let store: any RecordStore
    let clusters: ClusterService

    func register(on group: RouterGroup<APIContext>) {
        group.get("clusters", use: list)
            .post("clusters", use: add)
            .get("clusters/{name}", use: show)
            .patch("clusters/{name}", use: change)
            .delete("clusters/{name}", use: remove)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(Cluster.self)
        let nodes = Dictionary(grouping: try await store.list(Node.self).items, by: \.cluster)
        let views = page.items.sorted { $0.name < $1.name }.map { ClusterView($0, nodes: nodes[$0.name] ?? []) }
        return try .json(ListView(items: views, revision: page.revision))
    }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        try .json(try await view(of: try await clusters.cluster(named: try context.parameters.require("name"))))
    }

    @Sendable func add(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(ClusterRequest.self)
        let cluster = try await clusters.add(
            body.name, body.kind, body.join ?? ClusterSettings(), labels: body.labels, by: context.actor)
        return try .json(try await view(of: cluster), status: .created)
    }

    @Sendable func change(_ request: Request, context: APIContext) async throws -> Response {
        let settings = try await request.json(ClusterSettings.self)
        let name = try context.parameters.require("name")
        return try .json(try await view(of: try await clusters.change(name, settings, by: context.actor)))
    }

    @Sendable func remove(_ request: Request, context: APIContext) async throws -> Response {
        try await clusters.remove(try context.parameters.require("name"), by: context.actor)
        return .noContent
    }

    private func view(of cluster: Cluster) async throws -> ClusterView {
        ClusterView(cluster, nodes: try await store.compactMap(Node.self) { $0.cluster == cluster.name ? $0 : nil })
    }
}
