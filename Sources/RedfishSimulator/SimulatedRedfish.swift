import Foundation

/// A Redfish service as DSP0266 1.20 has it, without sockets: requests in, replies out. Time comes with each request.
public struct SimulatedRedfish: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// With query.
        public var target: String
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]

        public init(method: String, target: String, headers: [String: String] = [:], body: [UInt8] = []) {
            (self.method, self.target, self.headers, self.body) = (method, target, headers, body)
        }

        var path: String {
            let path = String(target.prefix { $0 != "?" })
            return path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
        }
    }

    public struct Reply: Sendable {
        public var status: Int
        public var headers: [(String, String)] = []
        public var body: Value?
        /// Server-sent events follow.
        public var isStream = false
        public var fault: Fault.Kind?

        init(_ status: Int, _ body: Value? = nil, headers: [(String, String)] = []) {
            (self.status, self.body, self.headers) = (status, body, headers)
        }
    }

    public var username = "operator"
    public var password = "not-a-default"
    public var quirks: Set<Quirk>
    public var faults: [Fault] = []
    /// Path → resource.
    public var tree: [String: Value]
    /// A recorded tree: writes are taken, and nothing changes.
    public var isPicture = false
    /// Sessions at once (Dell: 503 RAC0218, stmcginnis/gofish issue 75).
    public var sessionSlots = 4
    /// Requests after which the sessions there are end, as after a restart of the BMC's web server.
    public var sessionsEndAfter: Int?
    public var demandsPasswordChange = false
    /// Seconds from one power state to the next.
    public var powerDelay = 0.0
    public var isPowerStuck = false
    /// Seconds for which On is still reported after ForceOff.
    public var staleAfterOff = 0.0
    /// Boot overrides that are taken and not kept; and those that are shown once and then gone.
    public var dropsOverrides = 0
    public var forgetsOverrides = 0
    /// PATCHes that are refused as in POST (HPE iLO 5 and 6, ironcore-dev/metal-operator issue 997).
    public var busyInPOST = 0
    /// PATCHes before which somebody else changes the resource.
    public var changesMeanwhile = 0
    public var tasksFail = false
    /// What is said of a monitor that is gone: 404, or 410.
    public var goneStatus = 404
    /// A new password is taken, and the old one stays.
    public var keepsPassword = false
    /// Entries on one page of a log.
    public var pageSize = 50
    /// Pages of a log have links to its entries, as every service without $expand may do (DSP0266 §9.2).
    public var linksEntries = false
    /// The log keeps its entries when it is cleared.
    public var keepsLog = false
    public var ignoresMedia = false

    /// What was asked: `GET /redfish/v1/`.
    public internal(set) var requests: [String] = []
    /// What was done: `ForceOff`, `boot Pxe Once UEFI`, `insert URL`.
    public internal(set) var done: [String] = []
    /// Logins with a wrong user or password.
    public internal(set) var refusedLogins = 0
    public internal(set) var sessions: [String: String] = [:]
    /// The most there were at once.
    public internal(set) var mostSessions = 0

    var power: PowerSchedule
    var counter = 0
    var tasks: [String: Double] = [:]
    var forgetsNow = false
    var changes = 0

    public init(quirks: Set<Quirk> = []) {
        self.quirks = quirks
        power = PowerSchedule(state: "Off")
        tree = Self.rackServer(quirks)
    }

    /// Serves a tree that was recorded: `index.json` in folders as the paths are, or below `redfish/v1`.
    public init(recorded directory: String) throws {
        quirks = []
        power = PowerSchedule(state: "On")
        tree = [:]
        isPicture = true
        let files = FileManager.default
        guard let list = files.enumerator(atPath: directory) else { throw CocoaError(.fileNoSuchFile) }
        for case let file as String in list where file.hasSuffix("index.json") {
            guard let data = files.contents(atPath: directory + "/" + file),
                let value = Value(bytes: Array(data)), let id = value["@odata.id"]?.string
            else { continue }
            tree[Self.key(id)] = value
        }
    }

    public static func key(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }

    /// - Parameter now: seconds of a clock that does not go back.
    public mutating func respond(to request: Request, at now: Double) -> Reply {
        requests.append("\(request.method) \(request.target)")
        var fault: Fault.Kind?
        if let index = faults.firstIndex(where: {
            $0.times > 0 && ($0.method ?? request.method) == request.method
                && ($0.path.isEmpty || request.target.contains($0.path))
        }) {
            faults[index].times -= 1
            fault = faults[index].kind
            if case .status(let status, let seconds) = fault {
                return Reply(
                    status, Self.error("Base.1.8.ServiceTemporarilyUnavailable", "Busy."),
                    headers: seconds.map { [("Retry-After", "\($0)")] } ?? [])
            }
            if case .answer(let status, let body) = fault { return Reply(status, body) }
            if case .cut = fault { return Reply(200, [:], fault: fault) }
            if case .silence = fault { return Reply(200, [:], fault: fault) }
        }
        var reply = answer(request, at: now)
        reply.fault = fault
        return reply
    }

    private mutating func answer(_ request: Request, at now: Double) -> Reply {
        if request.target == "/redfish/v1" {
            return Reply(301, nil, headers: [("Location", "/redfish/v1/")])
        }
        if request.method == "GET", request.path == "/redfish/v1" { return get(request, at: now) }
        if request.path == "/redfish/v1/SessionService/Sessions", request.method == "POST" { return logIn(request) }
        if let refusal = refusal(of: request) { return refusal }
        if demandsPasswordChange, !mayChangePassword(request) {
            return Reply(
                403, Self.error("Base.1.8.PasswordChangeRequired", "The password has to be changed.", [account]))
        }
        switch request.method {
        case "GET": return get(request, at: now)
        case "PATCH": return patch(request, at: now)
        case "POST": return post(request, at: now)
        case "DELETE": return delete(request)
        default: return Reply(405, Self.error("Base.1.8.OperationNotAllowed", "Not that."))
        }
    }

    // MARK: who asks

    var account: String { "/redfish/v1/AccountService/Accounts/2" }

    private mutating func logIn(_ request: Request) -> Reply {
        guard !quirks.contains(.noSessions) else {
            return Reply(404, Self.error("Base.1.8.ResourceMissingAtURI", "No."))
        }
        let body = Value(bytes: request.body)
        guard body?["UserName"]?.string == username, body?["Password"]?.string == password else {
            refusedLogins += 1
            return Reply(401, Self.error("Base.1.8.ResourceAtUriUnauthorized", "Wrong user or password."))
        }
        guard sessions.count < sessionSlots else {
            return Reply(503, Self.error("IDRAC.2.1.RAC0218", "The maximum number of user sessions is reached."))
        }
        counter += 1
        let path = "/redfish/v1/SessionService/Sessions/\(counter)"
        let token = "token-\(counter)-\(password.hashValue.magnitude)"
        sessions[token] = path
        mostSessions = max(mostSessions, sessions.count)
        var value: Value = ["@odata.id": .string(path), "Id": .string("\(counter)"), "UserName": .string(username)]
        if demandsPasswordChange {
            value["@Message.ExtendedInfo"] = [
                ["MessageId": "Base.1.8.PasswordChangeRequired", "MessageArgs": [.string(account)]]
            ]
        }
        let location = quirks.contains(.absoluteLocation) ? "https://ilo-4711.example\(path)/" : path
        let headers = quirks.contains(.noLocation) ? [] : [("Location", location)]
        return Reply(201, value, headers: [("X-Auth-Token", token)] + headers)
    }

    private mutating func refusal(of request: Request) -> Reply? {
        let unauthorized = Reply(
            401, Self.error("Base.1.8.NoValidSession", "Log in."),
            headers: [("WWW-Authenticate", "Basic realm=\"BMC\"")])
        if let token = request.headers["x-auth-token"] {
            if let left = sessionsEndAfter {
                sessionsEndAfter = left > 0 ? left - 1 : nil
                if left == 0 { sessions = [:] }
            }
            return sessions[token] == nil ? unauthorized : nil
        }
        let basic = Data("\(username):\(password)".utf8).base64EncodedString()
        return request.headers["authorization"] == "Basic \(basic)" ? nil : unauthorized
    }

    private func mayChangePassword(_ request: Request) -> Bool {
        request.path == account || request.method == "DELETE"
    }

    private mutating func delete(_ request: Request) -> Reply {
        guard let token = sessions.first(where: { $0.value == request.path })?.key else {
            return Reply(404, Self.error("Base.1.8.ResourceMissingAtURI", "No such session."))
        }
        sessions[token] = nil
        return Reply(204)
    }

    // MARK: words

    static func error(_ id: String, _ text: String, _ arguments: [String] = []) -> Value {
        [
            "error": [
                "code": "Base.1.8.GeneralError", "message": "See ExtendedInfo.",
                "@Message.ExtendedInfo": [
                    [
                        "MessageId": .string(id), "Message": .string(text), "Severity": "Warning",
                        "MessageArgs": .array(arguments.map(Value.string)),
                    ]
                ],
            ]
        ]
    }
}

extension SimulatedRedfish.Reply {
    fileprivate init(_ status: Int, _ body: Value?, fault: Fault.Kind?) {
        self.init(status, body)
        self.fault = fault
    }
}

/// Power states and when they come.
struct PowerSchedule: Sendable {
    private var steps: [(at: Double, state: String)]

    init(state: String) { steps = [(0, state)] }

    func state(at now: Double) -> String { steps.last { $0.at <= now }?.state ?? "Off" }

    mutating func become(_ following: [(after: Double, state: String)], from now: Double) {
        steps = [(0, state(at: now))] + following.map { (now + $0.after, $0.state) }
    }
}
