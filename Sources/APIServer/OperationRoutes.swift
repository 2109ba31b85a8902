import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Inventory
import Machines
import Store

/// What people ask for machines: `/api/v1/machines/{machine}/VERB`, `/api/v1/operations`, `/api/v1/tombstones`.
struct OperationRoutes {
    let store: any RecordStore
    let machines: MachineRoutes
    let service: MachineService
    let operations: OperationService

    func register(on group: RouterGroup<APIContext>) {
        group.post("machines/{machine}/provision", use: provision)
            .post("machines/{machine}/reprovision", use: reprovision)
            .post("machines/{machine}/wipe", use: wipe)
            .post("machines/{machine}/release", use: release)
            .post("machines/{machine}/rescue", use: rescue)
            .post("machines/{machine}/retry", use: retry)
            .post("machines/{machine}/abort", use: abortMachine)
            .get("operations", use: list)
            .get("operations/{operation}", use: show)
            .post("operations/{operation}/approve", use: approve)
            .post("operations/{operation}/abort", use: abort)
            .get("tombstones", use: tombstones)
    }

    @Sendable func provision(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        let body = try await request.json(ProvisionRequest.self)
        let assignment = Machine.Assignment(
            cluster: body.cluster, release: body.release, rootDisk: body.disk.map { RootDisk.hint($0) },
            eraseExistingData: body.eraseExistingData ?? false, role: body.role)
        return try await begin(
            .init(.provision, assignment: assignment, needsApproval: body.requireApproval ?? false), machine, request,
            context)
    }

    @Sendable func reprovision(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        let body = try await request.json(ReprovisionRequest.self)
        let wipe = try wipeRequest(body.wipe)
        if body.rollback ?? false { return try await rollBack(machine, body, wipe, request, context) }
        let assignment = try assignment(body, of: machine)
        if body.dryRun ?? false { return try await plan(wipe, machine, assignment) }
        return try await begin(
            .init(
                .reprovision, assignment: assignment, wipe: wipe, drains: body.drain ?? true,
                needsApproval: body.requireApproval ?? false), machine, request, context)
    }

    private func rollBack(
        _ machine: Machine, _ body: ReprovisionRequest, _ wipe: WipeRequest, _ request: Request, _ context: APIContext
    ) async throws -> Response {
        guard body.cluster == nil, body.release == nil, body.disk == nil, body.role == nil else {
            throw ServiceError(
                .invalid, "a rollback says itself which cluster, release, disk and role", field: "rollback")
        }
        let record = try await service.lastGood(of: machine)
        if body.dryRun ?? false {
            let goal =
                "back to \(record.assignment.release) in \(record.assignment.cluster), as it was installed on \(APICoding.format(record.at))"
            return try await plan(wipe, machine, record.assignment, goal: goal)
        }
        return try await begin(
            .init(
                .reprovision, assignment: record.assignment, wipe: wipe, drains: body.drain ?? true,
                needsApproval: body.requireApproval ?? false, restores: record), machine, request, context)
    }

    @Sendable func wipe(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        let body = try await request.json(WipeMachineRequest.self)
        let wipe = try wipeRequest(body.wipe)
        if body.dryRun ?? false { return try await plan(wipe, machine, nil) }
        return try await begin(
            .init(.wipe, wipe: wipe, drains: body.drain ?? true, needsApproval: body.requireApproval ?? false),
            machine, request, context)
    }

    @Sendable func release(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        let body = try await request.json(ReleaseRequest.self)
        return try await begin(
            .init(
                .release, wipe: try wipeRequest(body.wipe), drains: body.drain ?? true,
                recycles: body.policy == .recycle, needsApproval: body.requireApproval ?? false), machine, request,
            context)
    }

    @Sendable func rescue(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        let body = try await request.json(RescueRequest.self)
        return try await begin(.init(.rescue, rescueSeconds: body.seconds), machine, request, context)
    }

    @Sendable func retry(_ request: Request, context: APIContext) async throws -> Response {
        let (_, operation) = try await service.retry(try await machines.machine(context).id, by: context.actor)
        return try .json(OperationView(operation), status: .accepted)
    }

    @Sendable func abortMachine(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(context)
        guard let id = machine.observed.operation else {
            throw ServiceError(.conflict, "nothing is under way on \(machine.name)")
        }
        return try .json(OperationView(try await operations.abort(id, by: context.actor)), status: .accepted)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        if request.flag("watch") {
            return try await WatchResponse<Operation, OperationView>(store: store) { view($0) }.response()
        }
        let wanted = try request.uri.queryParameters["state"].map { text in
            guard let state = Operation.State(rawValue: String(text)) else {
                let known = Operation.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw ServiceError(.invalid, "\(text) is not one of \(known)", field: "state")
            }
            return state
        }
        return try .json(
            try await request.list(store, by: { $0.createdAt > $1.createdAt }) { (operations: [Operation]) in
                operations.filter { wanted ?? $0.state == $0.state }.map { view($0) }
            })
    }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        try .json(view(try await operations.operation(try context.parameters.require("operation"))))
    }

    @Sendable func approve(_ request: Request, context: APIContext) async throws -> Response {
        let id: String = try context.parameters.require("operation")
        return try .json(view(try await operations.approve(id, by: context.actor)))
    }

    @Sendable func abort(_ request: Request, context: APIContext) async throws -> Response {
        let id: String = try context.parameters.require("operation")
        return try .json(view(try await operations.abort(id, by: context.actor)), status: .accepted)
    }

    @Sendable func tombstones(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(Tombstone.self)
        return try .json(
            ListView(
                items: page.items.sorted { $0.forgottenAt > $1.forgottenAt }.map { TombstoneView($0) },
                revision: page.revision))
    }

    private func begin(
        _ wanted: MachineService.OperationRequest, _ machine: Machine, _ request: Request, _ context: APIContext
    ) async throws -> Response {
        let (changed, operation) = try await service.begin(
            wanted, on: machine.id, generation: try request.ifMatch(), by: context.actor)
        return try .json(
            OperationView(
                operation, machineName: changed.name, waitsFor: operations.reasonToWait(operation)), status: .accepted,
            etag: "\"\(changed.generation)\"")
    }

    private func plan(
        _ wipe: WipeRequest, _ machine: Machine, _ assignment: Machine.Assignment?, goal: String? = nil
    ) async throws -> Response {
        let plan = try await service.wipePlan(wipe, of: machine.id, assignment: assignment)
        return try .json(WipePlanView(machine: machine.name, plan: plan, goal: goal))
    }

    private func view(_ operation: Operation) -> OperationView {
        OperationView(
            operation, machineName: service.name(of: operation.machine),
            progress: operation.order.flatMap { machines.board.progress(of: $0.session) },
            waitsFor: operations.reasonToWait(operation))
    }

    private func wipeRequest(_ body: WipeBody?) throws -> WipeRequest {
        guard let body else { return WipeRequest() }
        if let fault = body.fault { throw ServiceError(.invalid, fault.reason, field: fault.field) }
        return body.request
    }

    /// What the machine has, with what is said of it; nil: neither is there.
    private func assignment(_ body: ReprovisionRequest, of machine: Machine) throws -> Machine.Assignment? {
        let known = machine.desired.assignment
        guard let cluster = body.cluster ?? known?.cluster, let release = body.release ?? known?.release else {
            return nil
        }
        return Machine.Assignment(
            cluster: cluster, release: release, rootDisk: body.disk.map { RootDisk.hint($0) } ?? known?.rootDisk,
            eraseExistingData: known?.eraseExistingData ?? false, role: body.role ?? known?.role)
    }
}

/// How people name a root disk: a path, a WWN, or else a serial number.
enum RootDisk {
    static func hint(_ text: String) -> RootDiskHint {
        if text.hasPrefix("/dev/") { return RootDiskHint(path: text) }
        let lowered = text.lowercased()
        let isWWN = ["0x", "naa.", "eui.", "nvme.", "t10.", "uuid."].contains { lowered.hasPrefix($0) }
        return isWWN ? RootDiskHint(wwn: text) : RootDiskHint(serial: text)
    }
}
