import Controllers
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Machines
import Store

/// Lets only holders of a bearer token through; what they may do follows from its role.
struct TokenMiddleware: RouterMiddleware {
    let store: any RecordStore
    let now: @Sendable () -> Date

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        guard let text = request.bearer else {
            throw ServiceError(
                .unauthorized, "no bearer token; `slipway` reads it from SLIPWAY_TOKEN or its context file")
        }
        guard let token = try await store.get(AccessToken.self, Credential.hash(text)) else {
            throw ServiceError(.unauthorized, "the bearer token is unknown")
        }
        if let expiry = token.expiresAt, expiry <= now() {
            throw ServiceError(.unauthorized, "the token \(token.name) has expired")
        }
        guard token.role == .admin || request.method == .get || request.method == .head else {
            throw HTTPError(.forbidden, message: "the token \(token.name) may read only")
        }
        var context = context
        context.caller = token
        return try await next(request, context)
    }
}
