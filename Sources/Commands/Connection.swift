import APIClient
import ArgumentParser
import Foundation

/// Where the daemon is: options, then the environment, then the context. A `--context` goes before the environment.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Address of the daemon (SLIPWAY_SERVER).", valueName: "https://host:8443"))
    var server: String?
    @Option(help: ArgumentHelp("CA certificate of the installation, in PEM (SLIPWAY_CA).", valueName: "file"))
    var ca: String?

    @Option(
        help: ArgumentHelp("A context of `slipway context list` (SLIPWAY_CONTEXT).", valueName: "name"),
        completion: .context)
    var context: String?

    /// Runs `body` with a client.
    func withClient<Result: Sendable>(_ body: @Sendable (APIClient) async throws -> Result) async throws -> Result {
        try await APIClient.with(try access(ProcessInfo.processInfo.environment), body)
    }

    /// One call with a JSON answer.
    func call<Answer: Decodable & Sendable>(
        _ method: APIClient.Method, _ path: String, body: (any Encodable & Sendable)? = nil,
        as _: Answer.Type = Answer.self
    ) async throws -> Answer {
        try await withClient { try await $0.call(method, path, body: body, as: Answer.self) }
    }

    func access(_ environment: [String: String]) throws -> APIClient.Access {
        let (name, found) = try ContextStore(environment).load(context, environment)
        // Who names a context means all of it: no token of another daemon goes there.
        let settings = context == nil ? environment : [:]
        func setting(_ variable: String) -> String? { settings[variable].flatMap { $0.isEmpty ? nil : $0 } }
        let advice = "try: slipway context add NAME --server https://HOST:8443 --ca FILE --token-file FILE"
        guard let server = server ?? setting("SLIPWAY_SERVER") ?? found.server else {
            throw ClientError("no server: neither --server, SLIPWAY_SERVER nor the context \(name) says one; \(advice)")
        }
        guard let token = setting("SLIPWAY_TOKEN") ?? found.token else {
            throw ClientError("no token: neither SLIPWAY_TOKEN nor the context \(name) has one; \(advice)")
        }
        return APIClient.Access(
            server: server.hasSuffix("/") ? String(server.dropLast()) : server,
            token: token.trimmingCharacters(in: .whitespacesAndNewlines),
            certificateAuthority: ca ?? setting("SLIPWAY_CA") ?? found.ca)
    }
}
