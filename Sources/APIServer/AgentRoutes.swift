import APIModel
import Controllers
import FoundationEssentials
import Hummingbird
import Inventory
import Machines

/// `/agent/v1`: the agent's calls. It has tokens of its own, `SESSION:SECRET` as bearer.
struct AgentRoutes {
    let agents: AgentService
    let shells: ShellService

    func register(on router: Router<APIContext>) {
        router.group("agent/v1")
            .post("sessions", use: open)
            .put("hardware", use: report)
            .get("orders", use: nextOrder)
            .post("orders/{order}/progress", use: progress)
            .post("orders/{order}/result", use: finish)
            .post("orders/{order}/shell/output", use: shellOutput)
            .get("orders/{order}/shell/input", use: shellInput)
    }

    @Sendable func open(_ request: Request, context: APIContext) async throws -> Response {
        let body = try await request.json(SessionRequest.self, limit: 64 << 10, decoder: JSONDecoder())
        var reply = try await agents.open(body, from: context.remoteAddress)
        reply.token = reply.session + ":" + reply.token
        return try .json(reply, status: .created, encoder: JSONEncoder())
    }

    @Sendable func report(_ request: Request, context: APIContext) async throws -> Response {
        let session = try await session(request)
        try await agents.report(
            try await request.json(HardwareReport.self, limit: 1 << 20, decoder: JSONDecoder()), from: session)
        return .noContent
    }

    @Sendable func nextOrder(_ request: Request, context: APIContext) async throws -> Response {
        switch await agents.nextOrder(for: try await session(request)) {
        case .order(let order): return try .json(order, encoder: JSONEncoder())
        case .nothing: return .noContent
        case .later(let seconds): return Response(status: .noContent, headers: [.retryAfter: "\(seconds)"])
        }
    }

    @Sendable func progress(_ request: Request, context: APIContext) async throws -> Response {
        let session = try await session(request)
        let body = try await request.json(OrderProgress.self, limit: 64 << 10, decoder: JSONDecoder())
        try await agents.note(body, order: try context.parameters.require("order"), from: session)
        return .noContent
    }

    @Sendable func finish(_ request: Request, context: APIContext) async throws -> Response {
        let session = try await session(request)
        // A hundred disks have a hundred accounts.
        let body = try await request.json(OrderResult.self, limit: 1 << 20, decoder: JSONDecoder())
        try await agents.finish(body, order: try context.parameters.require("order"), from: session)
        return .noContent
    }

    @Sendable func shellOutput(_ request: Request, context: APIContext) async throws -> Response {
        let session = try await session(request)
        let body = try await request.json(ShellOutput.self, limit: 64 << 10, decoder: JSONDecoder())
        let reply = try await shells.take(body, order: try context.parameters.require("order"), from: session)
        return try .json(reply, encoder: JSONEncoder())
    }

    @Sendable func shellInput(_ request: Request, context: APIContext) async throws -> Response {
        let session = try await session(request)
        let input = try await shells.input(
            order: try context.parameters.require("order"),
            epoch: String((request.uri.queryParameters["epoch"] ?? "").prefix(64)),
            after: request.uri.queryParameters["after"].flatMap { Int64($0) } ?? 0, from: session)
        return try .json(input, encoder: JSONEncoder())
    }

    private func session(_ request: Request) async throws -> AgentSession {
        let parts = (request.bearer ?? "").split(separator: ":", maxSplits: 1)
        guard parts.count == 2 else { throw ServiceError(.unauthorized, "no session token") }
        return try await agents.authenticate(session: String(parts[0]), token: String(parts[1]))
    }
}
