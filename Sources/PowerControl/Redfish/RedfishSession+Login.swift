import Machines
import NIOHTTP1
import Redfish

extension RedfishSession {
    func logIn() async throws {
        guard case .none = login else { return }
        let root = try await serviceRoot()
        guard root.sessions != nil || root.sessionService != nil else {
            // None: sushy-tools. Each request says who asks.
            login = .basic
            return
        }
        let path = root.sessions ?? root.sessionService.flatMap { ResourcePath($0.rawValue + "/Sessions") } ?? .sessions
        let body: JSON = ["UserName": .string(bmc.username), "Password": .string(bmc.password)]
        let answer = try await send(.POST, path, body: body, isOpen: true, isRepeatable: true)
        if answer.isGood, let token = answer.headers.first(name: "X-Auth-Token"), !token.isEmpty {
            secrets.append(token)
            login = .token(token, session: answer.location ?? answer.json.path)
            if let message = answer.messages.first(where: { $0.key == "PasswordChangeRequired" }) {
                accountInNeed = .some(message.arguments.first.flatMap { ResourcePath($0) })
            }
            return
        }
        // iLO says 400 to a wrong password.
        let isRefused = [400, 401, 403].contains(answer.status)
        let words = [
            "UnauthorizedLoginAttempt", "NoValidSession", "InsufficientPrivilege", "ResourceAtUriUnauthorized",
        ]
        if answer.status == 401 || isRefused && answer.messages.contains(where: { words.contains(String($0.key)) }) {
            throw refusedCredentials(answer)
        }
        if answer.messages.contain("PasswordChangeRequired") {
            accountInNeed = .some(answer.messages.first?.arguments.first.flatMap { ResourcePath($0) })
        } else if answer.status == 403 {
            throw refusedCredentials(answer)
        }
        // No session service, or none free (Dell: 503 RAC0218, stmcginnis/gofish issue 75): each request says who asks.
        login = .basic
    }

    /// Whether these credentials open a session, without anything else.
    func showLogin() async throws {
        try await logIn()
        // Basic authentication is believed only when something behind it answers.
        if case .basic = login, let path = try await serviceRoot().systems { _ = try await get(path) }
    }

    /// Deletes the session: BMCs have a handful of slots.
    func close() async {
        streaming?.close()
        if case .token(_, let session?) = login, !isAbsent {
            for _ in 0..<2 {
                let answer = try? await once(
                    .DELETE, session, body: nil, ifMatch: nil, isOpen: false, note: "", within: .seconds(3),
                    isCancellable: false)
                if answer != nil || isAbsent { break }
                connection = nil
            }
        }
        login = .none
        connection?.close()
        connection = nil
    }
}
