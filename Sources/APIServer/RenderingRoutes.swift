import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines

/// `/api/v1/machines/{machine}/rendering`: what an installation would give a machine.
struct RenderingRoutes {
    let machines: MachineService

    func register(on group: RouterGroup<APIContext>) { group.get("machines/{machine}/rendering", use: show) }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(try context.parameters.require("machine"))
        if request.flag("installed") { return try .json(try await machines.installedRendering(of: machine)) }
        let showsSecrets = request.flag("secrets")
        guard !showsSecrets || context.caller?.role == .admin else {
            throw HTTPError(.forbidden, message: "the token \(context.actor) may not see secrets")
        }
        let view = try await machines.rendering(
            of: machine, try assignment(request, machine), secretsFor: showsSecrets ? context.actor : nil)
        return try .json(view)
    }

    /// What the machine has, but for what is asked.
    private func assignment(_ request: Request, _ machine: Machine) throws -> Machine.Assignment? {
        func word(_ name: String) -> String? { request.uri.queryParameters[name[...]].map(String.init) }
        let role = try word("role").map { text in
            guard let role = Machine.NodeRole(rawValue: text) else {
                throw ServiceError(.invalid, "\(text) is neither worker nor control-plane", field: "role")
            }
            return role
        }
        let own = machine.desired.assignment
        guard let cluster = word("cluster") ?? own?.cluster, let release = word("release") ?? own?.release else {
            return nil
        }
        return Machine.Assignment(
            cluster: cluster, release: release, rootDisk: word("disk").map { RootDisk.hint($0) } ?? own?.rootDisk,
            role: role ?? own?.role)
    }
}
