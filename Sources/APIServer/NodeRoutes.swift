import APIModel
import ClusterMembership
import Controllers
import Hummingbird
import Logging
import Machines
import Store

/// `/api/v1/nodes`: people read it; installed systems register and send heartbeats with credentials of their own.
struct NodeRoutes {
    let store: any RecordStore
    let registry: StandaloneRegistry

    /// Routes for holders of an API token.
    func register(on group: RouterGroup<APIContext>) { group.get("nodes", use: list) }

    /// Routes for installed systems.
    func registerOpen(on group: RouterGroup<APIContext>) {
        group.post("nodes/register", use: join)
            .post("nodes/{node}/heartbeat", use: heartbeat)
            .post("nodes/{node}/left", use: left)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        if request.flag("watch") {
            return try await WatchResponse<Node, NodeView>(store: store) { view(of: $0) }.response()
        }
        return try .json(try await request.list(store, by: { $0.name < $1.name }) { $0.map(view(of:)) })
    }

    @Sendable func join(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(NodeRegistration.self, limit: 64 << 10)
        guard body.credential.utf8.count >= 32 else {
            throw ServiceError(.invalid, "a credential has at least 32 characters", field: "credential")
        }
        let node = try await registry.register(
            .init(
                token: body.token, name: body.name, machine: body.machine, osRelease: body.osRelease,
                credential: body.credential, bootID: body.bootID, kernel: body.kernel, addresses: body.addresses))
        context.logger.info("node registered", metadata: ["node": "\(node.id)", "machine.id": "\(node.machine)"])
        return try .json(NodeAdmission(node: node.id, heartbeatSeconds: registry.heartbeatSeconds), status: .created)
    }

    @Sendable func heartbeat(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(NodeHeartbeat.self, limit: 64 << 10)
        let isToLeave = try await registry.heartbeat(
            node: try context.parameters.require("node"), credential: request.bearer ?? "", bootID: body.bootID,
            osRelease: body.osRelease, leaving: body.leaving)
        return isToLeave ? try .json(NodeInstruction(leave: true)) : .noContent
    }

    @Sendable func left(_ request: Request, context: APIContext) async throws -> Response {
        let restarts = try await registry.noteLeft(
            node: try context.parameters.require("node"), credential: request.bearer ?? "")
        return try .json(NodeInstruction(restart: restarts))
    }

    @Sendable private func view(of node: Node) -> NodeView {
        NodeView(node, lastHeartbeat: registry.lastHeartbeat(of: node.id))
    }
}
