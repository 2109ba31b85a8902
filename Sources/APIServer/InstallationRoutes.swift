import Controllers
import Hummingbird
import Machines
import NIOCore

/// `/api/v1/installations/{ticket}`: for installers, and for systems at their first start. The ticket is all that they have.
struct InstallationRoutes {
    static let prefix = "/installations/"
    let desk: InstallationDesk

    func register(on group: RouterGroup<APIContext>) {
        group.post("installations/{ticket}/{news}", use: note)
            .get("installations/{ticket}/files/{name}", use: file)
    }

    @Sendable func file(_ request: Request, context: APIContext) async throws -> Response {
        let content = try await desk.file(
            try context.parameters.require("name"), ticket: try context.parameters.require("ticket"),
            from: context.remoteAddress)
        return Response(
            status: .ok, headers: [.contentType: "application/octet-stream", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: content)))
    }

    @Sendable func note(_ request: Request, context: APIContext) async throws -> Response {
        guard let news = InstallationNews(rawValue: try context.parameters.require("news")) else {
            throw ServiceError(.notFound, "an installation tells started, installed, failed or first-boot")
        }
        let body = try await request.collectBody(limit: 64 << 10)
        try await desk.note(
            news, ticket: try context.parameters.require("ticket"), text: String(buffer: body))
        return .noContent
    }
}
