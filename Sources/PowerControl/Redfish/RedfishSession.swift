import FoundationEssentials
import Machines
import NIOHTTP1
import Redfish

/// The requests of one command to one BMC: logged in at the first that needs it, and out at the end.
actor RedfishSession {
    let bmc: BMCAccess
    let doing: String
    let limits: RedfishLimits
    let judge: CertificateJudge
    var connection: HTTPSConnection?
    var streaming: HTTPSConnection?
    var shown: CertificateJudge.Shown?
    var login = Login.none
    var secrets: [String]
    private var requests = 0
    private let deadline: ContinuousClock.Instant
    /// It did not answer last: there is no use in a logout.
    var isAbsent = false
    var exchange: [String] = []
    private var root: ServiceRoot?
    /// The account whose password has to be changed before anything else works (DSP0266 §13.3.7); nil when none has.
    var accountInNeed: ResourcePath??

    enum Login {
        case none
        case token(String, session: ResourcePath?)
        case basic
    }

    init(_ bmc: BMCAccess, doing: String, limits: RedfishLimits, judge: CertificateJudge) {
        (self.bmc, self.doing, self.limits, self.judge) = (bmc, doing, limits, judge)
        // A shutdown is waited out, then each half of a power cycle, and a lost answer is looked after.
        deadline = ContinuousClock.now + limits.command + bmc.settle * 4
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

    struct Lost: Error {
        var why: HTTPSError
        var wasSent: Bool
        var isCut: Bool {
            switch why {
            case .cut, .unsent: true
            default: false
            }
        }
    }

    func once(
        _ method: HTTPMethod, _ path: ResourcePath, body: JSON?, ifMatch: String?, isOpen: Bool, note: String,
        within limit: Duration? = nil, isCancellable: Bool = true
    ) async throws -> Answer {
        // What is tidied up goes out all the same.
        if isCancellable {
            requests += 1
            guard requests <= limits.requests else {
                throw error(
                    .nonsense,
                    "more than \(limits.requests) requests for one command; its tree of resources has no end")
            }
            guard ContinuousClock.now < deadline else {
                throw error(.silent, "not done in the time of one command: it is too slow")
            }
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

    func headers(body: JSON?, ifMatch: String?, isOpen: Bool) -> HTTPHeaders {
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
}
