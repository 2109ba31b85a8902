import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Inventory
import Machines
import ProfileFiles
import Store

/// `/api/v1/profiles`: the hardware profiles that the daemon has read, and why one is or is not a machine's.
struct ProfileRoutes {
    let store: any RecordStore
    let machines: MachineService
    let profiles: ProfileService

    func register(on group: RouterGroup<APIContext>) {
        group.get("profiles", use: list).get("machines/{machine}/profile", use: explain)
            .post("profiles/try", use: attempt)
            .put("profiles/{profile}", use: put)
            .delete("profiles/{profile}", use: remove)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        var counts: [String: Int] = [:]
        let revision = try await store.eachPage(of: Machine.self) { machines in
            for machine in machines { counts[machine.observed.profile ?? "", default: 0] += 1 }
            return true
        }
        let applied = try await profiles.applied()
        let views = machines.profiles.profiles.map { profile in
            ProfileView(
                profile, machines: counts[profile.name] ?? 0,
                applied: machines.profiles.isFile(profile.name) ? nil : applied[profile.name])
        }
        return try .json(ListView(items: views, revision: revision))
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

    @Sendable func put(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(ProfileRequest.self, limit: 2 * AppliedProfile.longest)
        let changed = try await profiles.put(
            try context.parameters.require("profile"), text: body.text, appliedBy: body.appliedBy, by: context.actor)
        return try .json(ProfileChangeView(machinesChanged: changed))
    }

    @Sendable func remove(_ request: Request, context: APIContext) async throws -> Response {
        try await profiles.remove(try context.parameters.require("profile"), by: context.actor)
        return .noContent
    }

    /// As many files, and as many bytes of one, are more than anybody has.
    private static let (maximumFiles, maximumBytes) = (100, 64 << 10)

    @Sendable func attempt(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(ProfileTrialRequest.self, limit: 1 << 20)
        guard body.profiles.count <= Self.maximumFiles else {
            throw ServiceError(.invalid, "at most \(Self.maximumFiles) profiles are tried at once", field: "profiles")
        }
        let profiles = try body.profiles.map { file in
            guard NamePattern(file.name) != nil, !file.name.contains("*") else {
                throw ServiceError(
                    .invalid,
                    "\(file.name.debugDescription) is not a profile's name: letters, digits, '-', '_' and '.'",
                    field: "profiles")
            }
            guard file.text.utf8.count <= Self.maximumBytes else {
                throw ServiceError(
                    .invalid, "\(file.name): a profile has at most \(Self.maximumBytes) bytes", field: "profiles")
            }
            do {
                return try ProfileDirectory.parse(received: file.text, file: file.name + ".yaml", name: file.name)
            } catch {
                throw ServiceError(.invalid, "\(error)", field: "profiles")
            }
        }
        return try .json(try await machines.tryProfiles(adding: profiles, removing: body.remove ?? []))
    }
}
