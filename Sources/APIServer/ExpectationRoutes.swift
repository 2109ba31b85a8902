import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines
import Store

/// `/api/v1/expected-machines`: what staff announced, and what became of it.
struct ExpectationRoutes {
    let store: any RecordStore
    let expectations: ExpectationService

    func register(on group: RouterGroup<APIContext>) {
        group.get("expected-machines", use: list)
            .get("expected-machines/{name}", use: show)
            .post("expected-machines", use: announce)
            .delete("expected-machines", use: withdraw)
            .delete("expected-machines/{name}", use: withdrawOne)
    }

    @Sendable func list(_ request: Request, context: APIContext) async throws -> Response {
        let page = try await store.list(ExpectedMachine.self)
        var names: [String: String] = [:]
        var unexpected: [UnexpectedMachineView] = []
        try await store.eachPage(of: Machine.self) { machines in
            for machine in machines {
                names[machine.id] = machine.name
                if machine.observed.expected == nil,
                    machine.observed.phase == .discovered || machine.condition(.expected) != nil
                {
                    unexpected.append(UnexpectedMachineView(machine))
                }
            }
            return true
        }
        unexpected.sort { $0.name < $1.name }
        let items = page.items.sorted { $0.id < $1.id }.map { expected in
            ExpectedMachineView(expected, machineName: expected.observed.machine.flatMap { names[$0] })
        }
        return try .json(ExpectedMachinesView(items: items, unexpected: unexpected, revision: page.revision))
    }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        let name = try context.parameters.require("name")
        guard let expected = try await store.get(ExpectedMachine.self, name) else {
            throw ServiceError(.notFound, "no machine \(name.debugDescription) is expected")
        }
        var machine: Machine?
        if let id = expected.observed.machine { machine = try await store.get(Machine.self, id) }
        return try .json(ExpectedMachineView(expected, machineName: machine?.name))
    }

    @Sendable func announce(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(AnnounceRequest.self, limit: 16 << 20)
        let outcome = try await expectations.announce(
            body.items.map { .init($0.machine, bmcPassword: $0.bmcPassword) }, isTrial: body.dryRun ?? false,
            by: context.actor)
        return try .json(
            AnnounceAnswer(created: outcome.created, changed: outcome.changed, unchanged: outcome.unchanged))
    }

    /// `?name=node-1&name=node-2`: all or none.
    @Sendable func withdraw(_ request: Request, context: APIContext) async throws -> Response {
        let names = request.uri.queryParameters.getAll("name")
        guard !names.isEmpty else {
            throw ServiceError(.invalid, "say which: ?name=NAME, once for each", field: "name")
        }
        try await expectations.withdraw(names.map { String($0) }, by: context.actor)
        return .noContent
    }

    @Sendable func withdrawOne(_ request: Request, context: APIContext) async throws -> Response {
        try await expectations.withdraw([try context.parameters.require("name")], by: context.actor)
        return .noContent
    }
}
