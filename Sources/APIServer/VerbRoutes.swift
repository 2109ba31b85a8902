import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines

/// Verbs of machines that are done at once: `/api/v1/machines/{machine}/VERB`.
struct VerbRoutes {
    let machines: MachineRoutes
    let service: MachineService
    let operations: OperationService

    func register(on group: RouterGroup<APIContext>) {
        group.post("machines/{machine}/reject", use: reject)
            .post("machines/{machine}/maintain", use: maintain)
            .post("machines/{machine}/resume", use: resume)
            .post("machines/{machine}/protect", use: protect)
            .post("machines/{machine}/unprotect", use: unprotect)
            .post("machines/{machine}/retire", use: retire)
            .post("machines/{machine}/end-rescue", use: endRescue)
            .delete("machines/{machine}", use: forget)
    }

    @Sendable func reject(_ request: Request, context: APIContext) async throws -> Response {
        try await answer(context) { try await service.reject($0, by: context.actor) }
    }

    @Sendable func maintain(_ request: Request, context: APIContext) async throws -> Response {
        let reason = try await request.json(MaintainRequest.self).reason ?? ""
        return try await answer(context) { try await service.maintain($0, reason: reason, by: context.actor) }
    }

    @Sendable func resume(_ request: Request, context: APIContext) async throws -> Response {
        try await answer(context) { try await service.resume($0, by: context.actor) }
    }

    @Sendable func protect(_ request: Request, context: APIContext) async throws -> Response {
        try await answer(context) { try await service.protect($0, true, by: context.actor) }
    }

    @Sendable func unprotect(_ request: Request, context: APIContext) async throws -> Response {
        try await answer(context) { try await service.protect($0, false, by: context.actor) }
    }

    @Sendable func retire(_ request: Request, context: APIContext) async throws -> Response {
        try await answer(context) { try await service.retire($0, by: context.actor) }
    }

    @Sendable func endRescue(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        guard machine.observed.phase == .rescue, let id = machine.observed.operation else {
            throw ServiceError(
                .conflict, "\(machine.name) is \(machine.observed.phase.rawValue): it has no rescue shell")
        }
        return try .json(OperationView(try await operations.abort(id, by: context.actor)), status: .accepted)
    }

    @Sendable func forget(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        let tombstone = try await service.forget(
            machine.id, isForced: request.flag("force"), by: context.actor)
        return try .json(TombstoneView(tombstone))
    }

    private func answer(
        _ context: APIContext, _ verb: (String) async throws -> Machine
    ) async throws -> Response {
        let changed = try await verb(try await machines.machine(context).id)
        return try .json(try await machines.view(of: changed), etag: "\"\(changed.generation)\"")
    }
}
