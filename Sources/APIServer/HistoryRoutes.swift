import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Machines

/// `/api/v1/machines/{id}/history`: the phases that a machine has been in. `/api/v1/reports/phases`: how long machines stay in them;
/// `/api/v1/machines/{id}/installations`: what was installed on it.
/// `?profile=` narrows to one hardware profile, `?since=` (RFC 3339) to what ended then or later.
struct HistoryRoutes {
    let history: HistoryService
    let machines: MachineService

    func register(on group: RouterGroup<APIContext>) {
        group.get("machines/{machine}/history", use: show)
            .get("machines/{machine}/installations", use: installations)
            .get("reports/phases", use: report)
    }

    @Sendable func installations(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(try context.parameters.require("machine"))
        return try .json(ListView(items: try await machines.installations(of: machine), revision: 0))
    }

    @Sendable func show(_ request: Request, context: APIContext) async throws -> Response {
        let machine = try await machines.machine(try context.parameters.require("machine"))
        return try .json(ListView(items: try await history.history(of: machine), revision: 0))
    }

    @Sendable func report(_ request: Request, context: APIContext) async throws -> Response {
        let since = try request.uri.queryParameters["since"].map { text in
            guard let date = RFC3339.date(String(text)) else {
                throw ServiceError(.invalid, "\(text) is not a time such as 2026-01-31T12:00:00Z", field: "since")
            }
            return date
        }
        let rows = try await history.report(
            profile: request.uri.queryParameters["profile"].map(String.init), since: since)
        return try .json(ListView(items: rows, revision: 0))
    }
}
