import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Inventory
import Machines
import Store

/// `/api/v1/profiles`: the hardware profiles that the daemon has read, and why one is or is not a machine's.
struct ProfileRoutes {
    let store: any RecordStore
    let machines: MachineService

    func register(on group: RouterGroup<APIContext>) {
        group.get("profiles", use: list).get("machines/{machine}/profile", use: explain)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(Machine.self)
        var counts: [String: Int] = [:]
        for machine in page.items { counts[machine.observed.profile ?? "", default: 0] += 1 }
        let views = machines.profiles.profiles.map { profile in
            ProfileView(
                name: profile.name, priority: profile.priority, match: profile.match.words,
                machines: counts[profile.name] ?? 0)
        }
        return try .json(ListView(items: views, revision: page.revision))
    }

    @Sendable func explain(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(try context.parameters.require("machine"))
        guard let hardware = machine.observed.hardware else {
            throw ServiceError(.conflict, "\(machine.name) has not reported its hardware yet")
        }
        return try .json(
            MachineProfileView(
                outcome: machines.profiles.match(hardware).words, profiles: machines.profiles.explain(hardware)))
    }
}
