import APIClient
import ArgumentParser
import Foundation

/// Where the daemon is: options, then the environment, then the context file.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Address of the daemon (SLIPWAY_SERVER).", valueName: "https://host:8443"))
    var server: String?
    @Option(help: ArgumentHelp("CA certificate of the installation, in PEM (SLIPWAY_CA).", valueName: "file"))
    var ca: String?

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
        let context = try ContextFile.load(environment)
        guard let server = server ?? environment["SLIPWAY_SERVER"] ?? context.server else {
            throw ClientError("no server: set SLIPWAY_SERVER or write \(ContextFile.path(environment))")
        }
        guard let token = environment["SLIPWAY_TOKEN"] ?? context.token else {
            throw ClientError("no token: set SLIPWAY_TOKEN or write \(ContextFile.path(environment))")
        }
        return APIClient.Access(
            server: server.hasSuffix("/") ? String(server.dropLast()) : server,
            token: token.trimmingCharacters(in: .whitespacesAndNewlines),
            certificateAuthority: ca ?? environment["SLIPWAY_CA"] ?? context.ca)
    }
}

/// `~/.config/slipway/context.json`: `{"server": …, "token": …, "ca": …}`.
struct ContextFile: Codable, Equatable {
    var server: String?
    var token: String?
    var ca: String?

    static func path(_ environment: [String: String]) -> String {
        if let path = environment["SLIPWAY_CONTEXT"] { return path }
        let base = environment["XDG_CONFIG_HOME"] ?? (environment["HOME"] ?? "/root") + "/.config"
        return base + "/slipway/context.json"
    }

    static func load(_ environment: [String: String]) throws -> ContextFile {
        let path = path(environment)
        guard FileManager.default.fileExists(atPath: path) else { return ContextFile() }
        do {
            return try JSONDecoder().decode(ContextFile.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw ClientError("the context file \(path) cannot be read: \(error)")
        }
    }
}
