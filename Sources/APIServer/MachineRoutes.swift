import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Inventory
import Machines
import NetworkAddresses
import Store
import Synchronization

/// `/api/v1/machines`: translates between HTTP and ``MachineService``.
struct MachineRoutes {
    let store: any RecordStore
    let machines: MachineService
    let operations: OperationService
    let board: SessionBoard

    func register(on group: RouterGroup<APIContext>) {
        group.get("machines", use: list)
            .get("machines/{machine}", use: show)
            .post("machines/{machine}/accept", use: accept)
            .post("machines/{machine}/set", use: change)
            .post("machines/{machine}/confirm", use: confirm)
            .post("machines/{machine}/merge", use: merge)
            .post("machines/{machine}/split", use: split)
            .get("machines/{machine}/hardware-revisions", use: revisions)
            .get("machines/{machine}/hardware-changes", use: changes)
            .get("machines/{machine}/power", use: readPower)
            .post("machines/{machine}/power", use: setPower)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        let only = only(request)
        if request.flag("watch") {
            let news = ProgressNews(board: board)
            return try await WatchResponse<Machine, MachineView>(
                store: store, only: only,
                news: {
                    var views: [MachineView] = []
                    for session in news.changed() {
                        guard let id = try await store.get(AgentSession.self, session)?.machine,
                            only?.contains(id) ?? true, let machine = try await store.get(Machine.self, id),
                            machine.observed.session == session
                        else { continue }
                        views.append(try await summary(of: machine))
                    }
                    return views
                },
                view: { try await summary(of: $0) }
            ).response()
        }
        return try .json(
            try await request.list(store, by: { $0.name < $1.name }) { (machines: [Machine]) in
                try await summaries(of: machines.filter { only?.contains($0.id) ?? true })
            })
    }

    /// `?machine=ID`, which may be there again, narrows a list or a watch.
    private func only(_ request: Request) -> Set<String>? {
        let ids = request.uri.queryParameters.getAll("machine")
        return ids.isEmpty ? nil : Set(ids)
    }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        return try .json(try await view(of: machine), etag: "\"\(machine.generation)\"")
    }

    @Sendable func accept(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        let body = try await request.json(AcceptRequest.self)
        let accepted = try await machines.accept(
            machine.id, name: body.name, bmc: body.bmc?.setting, network: body.network,
            generation: try request.ifMatch(),
            by: context.actor)
        return try .json(try await view(of: accepted), etag: "\"\(accepted.generation)\"")
    }

    @Sendable func change(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        let body = try await request.json(MachineChangeRequest.self)
        let changed = try await machines.change(
            machine.id,
            .init(
                location: body.clearLocation == true ? .some(nil) : body.location.map { .some($0) },
                labels: body.labels ?? [:],
                network: body.clearNetwork == true ? .some(nil) : body.network.map { .some($0) }, patch: body.patch),
            generation: try request.ifMatch(), by: context.actor)
        return try .json(try await view(of: changed), etag: "\"\(changed.generation)\"")
    }

    @Sendable func confirm(_ request: Request, context: APIContext) async throws -> Response {
        let confirmed = try await machines.confirmHardware(of: try await machine(context).id, by: context.actor)
        return try .json(try await view(of: confirmed), etag: "\"\(confirmed.generation)\"")
    }

    @Sendable func merge(_ request: Request, context: APIContext) async throws -> Response {
        let other = try await machines.machine(try await request.json(MergeRequest.self).into)
        let merged = try await machines.merge(try await machine(context).id, into: other.id, by: context.actor)
        return try .json(try await view(of: merged), etag: "\"\(merged.generation)\"")
    }

    @Sendable func split(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.split(try await machine(context).id, by: context.actor)
        return try .json(try await view(of: machine), etag: "\"\(machine.generation)\"")
    }

    @Sendable func revisions(_ request: Request, context: APIContext) async throws -> Response {
        let revisions = try await machines.hardwareRevisions(of: try await machine(context))
        return try .json(ListView(items: revisions.map { HardwareRevisionView($0) }, revision: 0))
    }

    @Sendable func changes(_ request: Request, context: APIContext) async throws -> Response {
        let since = try request.uri.queryParameters["since"].map { text in
            guard let number = Int(text) else {
                throw ServiceError(.invalid, "\(text) is not the number of a revision", field: "since")
            }
            return number
        }
        let (from, to) = try await machines.hardwareRevisions(of: try await machine(context), since: since)
        return try .json(
            HardwareChangesView(
                from: from.map { HardwareRevisionView($0) }, to: HardwareRevisionView(to),
                changes: from.map { to.report.changes(since: $0.report) } ?? []))
    }

    @Sendable func readPower(_ request: Request, context: APIContext) async throws -> Response {
        try .json(PowerView(power: try await machines.readPower(of: try await machine(context).id)))
    }

    @Sendable func setPower(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machine(context)
        let body = try await request.json(PowerRequest.self)
        return try .json(PowerView(power: try await machines.setPower(body.action, of: machine.id, by: context.actor)))
    }

    func machine(_ context: APIContext) async throws -> Machine {
        try await machines.machine(try context.parameters.require("machine"))
    }

    func view(of machine: Machine) async throws -> MachineView {
        var operation: Operation?
        if let id = machine.observed.operation { operation = try await store.get(Operation.self, id) }
        return view(of: machine, operation)
    }

    private func view(of machine: Machine, _ operation: Operation?) -> MachineView {
        MachineView(
            machine,
            operation: operation.map { operation in
                OperationView(
                    operation, progress: machine.observed.session.flatMap { board.progress(of: $0) },
                    waitsFor: operations.reasonToWait(operation))
            }, profile: machine.observed.profile.flatMap { machines.profiles.profile(named: $0) })
    }

    private func summary(of machine: Machine) async throws -> MachineView {
        Self.summary(try await view(of: machine))
    }

    private func summaries(of machines: [Machine]) async throws -> [MachineView] {
        let operations = try await store.get(Operation.self, machines.compactMap(\.observed.operation))
        return machines.map { machine in
            Self.summary(view(of: machine, machine.observed.operation.flatMap { operations[$0] }))
        }
    }

    /// Lists leave out the hardware report, which is most of a machine's bytes, and what its profile gives.
    private static func summary(_ view: MachineView) -> MachineView {
        var view = view
        (view.hardware, view.profileGives) = (nil, nil)
        return view
    }
}

/// What agents said of their work since it was asked last. Progress is kept in memory only, so no watch of the store tells it.
private final class ProgressNews: Sendable {
    private let board: SessionBoard
    private let told = Mutex<[String: OrderProgress]>([:])

    init(board: SessionBoard) { self.board = board }

    /// Sessions.
    func changed() -> [String] {
        let now = board.progressOfAll()
        return told.withLock { told in
            defer { told = now }
            return now.filter { told[$0.key] != $0.value }.keys.sorted()
        }
    }
}
