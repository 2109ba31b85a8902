import FoundationEssentials
import Machines
import NIOHTTP1
import Redfish

/// The requests of one command to one BMC: logged in at the first that needs it, and out at the end.
actor RedfishSession {
    let bmc: BMCAccess
    let doing: String
    let limits: RedfishLimits
    private let judge: CertificateJudge
    private var connection: HTTPSConnection?
    private var streaming: HTTPSConnection?
    private(set) var shown: CertificateJudge.Shown?
    private var login = Login.none
    private var secrets: [String]
    private var requests = 0
    /// It did not answer last: there is no use in a logout.
    private var isAbsent = false
    private(set) var exchange: [String] = []
    private var root: ServiceRoot?
    /// The account whose password has to be changed before anything else works (DSP0266 §13.3.7); nil when none has.
    private(set) var accountInNeed: ResourcePath??

    private enum Login {
        case none
        case token(String, session: ResourcePath?)
        case basic
    }

    init(_ bmc: BMCAccess, doing: String, limits: RedfishLimits, judge: CertificateJudge) {
        (self.bmc, self.doing, self.limits, self.judge) = (bmc, doing, limits, judge)
        secrets = [bmc.password, Self.basic(bmc.username, bmc.password)]
    }

    struct Answer: Sendable {
        var status: Int
        var json: JSON
        var headers: HTTPHeaders

        var isGood: Bool { (200..<300).contains(status) }
        var messages: [ServiceMessage] { ServiceMessage.all(in: json) }
        var tags: EntityTags {
            EntityTags(header: headers.first(name: "ETag"), body: json["@odata.etag"]?.string)
        }
        var location: ResourcePath? { headers.first(name: "Location").flatMap { ResourcePath(location: $0) } }
        /// Seconds; dates are not understood, BMCs send none.
        var retryAfter: Duration? {
            headers.first(name: "Retry-After").flatMap { Int($0) }.flatMap { $0 >= 0 ? .seconds(min($0, 3600)) : nil }
        }
    }

    /// Words of ours that never say a password.
    func keep(secret: String) { secrets.append(secret) }

    // MARK: requests

    /// The service root, without logging in.
    func serviceRoot() async throws -> ServiceRoot {
        if let root { return root }
        let answer = try await send(.GET, .root, isOpen: true)
        guard answer.isGood, let root = ServiceRoot(answer.json) else {
            throw error(
                .nonsense, "what answers there is no Redfish service (HTTP \(answer.status) for \(ResourcePath.root))")
        }
        self.root = root
        return root
    }

    /// The resource at a path.
    func get(_ path: ResourcePath) async throws -> Answer {
        let answer = try await send(.GET, path)
        guard answer.isGood else { throw refusal(answer, "GET \(path)") }
        return answer
    }

    /// One request and its answer, whatever it is. A session that was lost is opened anew once, a busy service waited for, a connection
    /// that was cut made anew for what may be repeated.
    /// - Parameter isOpen: for what needs no login.
    func send(
        _ method: HTTPMethod, _ path: ResourcePath, body: JSON? = nil, ifMatch: String? = nil, isOpen: Bool = false,
        note: String = "", isRepeatable: Bool? = nil
    ) async throws -> Answer {
        if !isOpen { try await logIn() }
        let isRepeatable = isRepeatable ?? (method != .POST)
        var (path, redirects, relogins, cuts, waits) = (path, 0, 0, 0, 0)
        while true {
            let answer: Answer
            do {
                answer = try await once(method, path, body: body, ifMatch: ifMatch, isOpen: isOpen, note: note)
            } catch let lost as Lost {
                connection = nil
                guard lost.isCut, cuts == 0, isRepeatable || !lost.wasSent else {
                    throw failure(lost, method, isRepeatable)
                }
                cuts += 1
                continue
            }
            switch answer.status {
            case 401 where !isOpen:
                guard case .token = login, relogins == 0 else { throw refusedCredentials(answer) }
                relogins += 1
                login = .none
                try await logIn()
            case 403 where !isOpen && answer.messages.contain("PasswordChangeRequired"):
                throw passwordChangeRequired()
            case 429, 503:
                // A command that must not be done twice goes out again only when the service itself says when.
                let wait = answer.retryAfter
                guard waits < 3, isRepeatable || wait != nil else { return answer }
                waits += 1
                try await Task.sleep(for: min(max(wait ?? .seconds(1), limits.poll), limits.retryAfter))
            case 301, 302, 307, 308:
                guard method == .GET, redirects < 3, let next = redirect(answer) else {
                    throw error(.nonsense, "it sends us elsewhere (HTTP \(answer.status)); that is not followed")
                }
                redirects += 1
                path = next
            default: return answer
            }
        }
    }

    /// A path of this service: iLO sends `/redfish/v1` to `/redfish/v1/`.
    private func redirect(_ answer: Answer) -> ResourcePath? {
        guard let location = answer.headers.first(name: "Location") else { return nil }
        if !location.hasPrefix("/") {
            let own = ["https://\(bmc.address)/", "https://\(bmc.address):\(bmc.port)/", "https://[\(bmc.address)]/"]
            guard own.contains(where: location.hasPrefix) else { return nil }
        }
        return ResourcePath(location: location)
    }

    private struct Lost: Error {
        var why: HTTPSError
        var wasSent: Bool
        var isCut: Bool {
            switch why {
            case .cut, .unsent: true
            default: false
            }
        }
    }

    private func once(
        _ method: HTTPMethod, _ path: ResourcePath, body: JSON?, ifMatch: String?, isOpen: Bool, note: String,
        within limit: Duration? = nil, isCancellable: Bool = true
    ) async throws -> Answer {
        requests += 1
        guard requests <= limits.requests else {
            throw error(
                .nonsense, "more than \(limits.requests) requests for one command; its tree of resources has no end")
        }
        let connection = try await connected(isCancellable: isCancellable)
        let request = HTTPSRequest(
            method: method, path: path.rawValue, headers: headers(body: body, ifMatch: ifMatch, isOpen: isOpen),
            body: body.map { Array($0.description.utf8) } ?? [])
        let raw: HTTPSAnswer
        do {
            raw = try await connection.exchange(request, within: limit, isCancellable: isCancellable)
        } catch let why as HTTPSError {
            record("\(method.rawValue) \(path) → no answer")
            isAbsent = why == .silent
            if case .unsent = why { throw Lost(why: why, wasSent: false) }
            throw Lost(why: why, wasSent: true)
        }
        isAbsent = false
        let json = try? JSON(parsing: raw.body)
        let answer = Answer(status: raw.status, json: json ?? .null, headers: raw.headers)
        if method != .GET || !answer.isGood {
            let said = answer.isGood ? "" : " " + answer.messages.map(\.description).joined(separator: ", ")
            record("\(method.rawValue) \(path)\(note.isEmpty ? "" : " \(note)") → \(raw.status)\(said)")
        }
        if json == nil, method == .GET, raw.status == 200 {
            throw error(.nonsense, "the answer to GET \(path) is no JSON (\(raw.body.count) bytes)")
        }
        return answer
    }

    private func headers(body: JSON?, ifMatch: String?, isOpen: Bool) -> HTTPHeaders {
        let host = bmc.address.contains(":") ? "[\(bmc.address)]" : bmc.address
        var headers = HTTPHeaders([
            ("Host", bmc.port == 443 ? host : "\(host):\(bmc.port)"), ("Accept", "application/json"),
            ("OData-Version", "4.0"), ("User-Agent", "slipway"),
        ])
        if let body {
            headers.add(name: "Content-Type", value: "application/json")
            headers.add(name: "Content-Length", value: "\(body.description.utf8.count)")
        }
        if let ifMatch { headers.add(name: "If-Match", value: ifMatch) }
        switch login {
        case _ where isOpen, .none: break
        case .token(let token, _): headers.add(name: "X-Auth-Token", value: token)
        case .basic:
            headers.add(name: "Authorization", value: "Basic " + Self.basic(bmc.username, bmc.password))
        }
        return headers
    }

    private static func basic(_ user: String, _ password: String) -> String {
        Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// A connection whose certificate is believed.
    private func connected(isCancellable: Bool = true) async throws -> HTTPSConnection {
        if let connection, connection.isOpen { return connection }
        let connection = try await believed(isCancellable: isCancellable)
        self.connection = connection
        return connection
    }

    private func believed(isCancellable: Bool) async throws -> HTTPSConnection {
        let connection: HTTPSConnection
        do {
            connection = try await HTTPSConnection.open(
                address: bmc.address, port: bmc.port, limits: limits, isCancellable: isCancellable)
        } catch let why as HTTPSError {
            isAbsent = true
            throw Lost(why: why, wasSent: false)
        }
        let shown = CertificateJudge.Shown(connection.chain)
        self.shown = shown
        if let reason = await judge.refusal(shown, trust: bmc.trust, address: bmc.address) {
            connection.close()
            throw error(.certificate, reason)
        }
        return connection
    }

    /// Opens a stream of server-sent events, on a connection of its own.
    func stream(_ path: ResourcePath) async throws -> (Answer, AsyncThrowingStream<[UInt8], any Error>) {
        try await logIn()
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: [UInt8].self, bufferingPolicy: .bufferingOldest(4096))
        var headers = headers(body: nil, ifMatch: nil, isOpen: false)
        headers.replaceOrAdd(name: "Accept", value: "text/event-stream")
        do {
            let connection = try await believed(isCancellable: true)
            streaming = connection
            let raw = try await connection.exchange(
                HTTPSRequest(method: .GET, path: path.rawValue, headers: headers), stream: continuation)
            return (Answer(status: raw.status, json: .null, headers: raw.headers), stream)
        } catch let lost as Lost {
            throw failure(lost, .GET, true)
        } catch let why as HTTPSError {
            throw failure(Lost(why: why, wasSent: true), .GET, true)
        }
    }

    // MARK: login

    private func logIn() async throws {
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

    // MARK: words

    func record(_ line: String) {
        exchange.append(redact(String(line.prefix(400))))
        if exchange.count > 12 { exchange.removeFirst() }
    }

    /// A service may say back what it was sent.
    private func redact(_ text: String) -> String {
        var result = text
        for secret in secrets where !secret.isEmpty {
            result = result.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "•••")
        }
        return result
    }

    func error(_ reason: BMCError.Reason, _ detail: String) -> BMCError {
        let shows = [.refused, .notDone, .outcomeUnknown, .nonsense].contains(reason)
        return BMCError(
            address: bmc.address, doing: doing, reason: reason, redact(detail), exchange: shows ? exchange : [])
    }

    /// What the service says to a request that it does not do.
    func refusal(_ answer: Answer, _ what: String) -> BMCError {
        let said = answer.messages.prefix(3).map(\.description).joined(separator: "; ")
        let hint = answer.messages.compactMap(\.resolution).first.map { ". It advises: \($0)" } ?? ""
        let detail = "it refused \(what) with HTTP \(answer.status)\(said.isEmpty ? "" : ": \(said)")\(hint)"
        switch answer.status {
        case 404, 405, 501: return error(.unsupported, detail)
        case 403: return error(.refused, detail + "; has the user \(bmc.username) the privilege?")
        default: return error(.refused, detail)
        }
    }

    private func refusedCredentials(_ answer: Answer) -> BMCError {
        let said = answer.messages.first.map { " (\($0.description))" } ?? ""
        return error(
            .credentials,
            "it refused the user \(bmc.username) or the password with HTTP \(answer.status)\(said); is the user enabled for Redfish, and not locked?"
        )
    }

    func passwordChangeRequired() -> BMCError {
        error(
            .credentials,
            "it lets the user \(bmc.username) do nothing until the password is changed; give this BMC a new password")
    }

    private func failure(_ lost: Lost, _ method: HTTPMethod, _ isRepeatable: Bool) -> BMCError {
        let hint = "is the address right, and TCP \(bmc.port) open?"
        if lost.wasSent, !isRepeatable || method == .PATCH {
            return error(
                .outcomeUnknown,
                "it was told once, and its answer was lost (\(words(lost.why))); look before telling it again")
        }
        switch lost.why {
        case .unreachable(let why): return error(.unreachable, "\(why); \(hint)")
        case .silent: return error(.silent, lost.wasSent ? "no whole answer in \(limits.answer)" : "no answer; \(hint)")
        case .notTLS(let why):
            return error(
                .nonsense,
                "what listens on TCP \(bmc.port) does not speak TLS with us (\(why)); Redfish is not used without it")
        case .cut, .unsent, .tooLong, .nonsense: return error(.nonsense, words(lost.why))
        }
    }

    private func words(_ why: HTTPSError) -> String {
        switch why {
        case .unreachable(let words), .notTLS(let words), .cut(let words), .unsent(let words), .nonsense(let words):
            words
        case .silent: "no answer in \(limits.answer)"
        case .tooLong(let most): "an answer is longer than \(most >> 20) MiB"
        }
    }
}
