import IPMI
import Machines
import NIOCore

/// Commands inside one session, one at a time.
struct OpenSession {
    let connection: BMCConnection
    private(set) var session: Session
    var line: IPMILine
    /// The last commands and their answers, in hex and without secrets.
    private(set) var exchange: [String] = []
    /// A session that the BMC has forgotten is opened anew, once. The console's cannot be.
    var mayReopen = true
    private static let kept = 12

    init(connection: BMCConnection, session: Session, line: IPMILine) {
        (self.connection, self.session, self.line) = (connection, session, line)
    }

    var address: String { connection.address }
    var port: Int { connection.port }

    /// A new session has the privilege of a user (§22.18).
    mutating func becomeAdministrator() async throws { _ = try await send(.setAdministrator) }

    /// Sends a command and returns the answer's data.
    /// - Throws: ``BMCError``, `refused` for any other completion code than success.
    mutating func send(_ request: Request) async throws -> [UInt8] {
        let (code, data) = try await ask(request)
        guard code == .success else { throw refusal(request, code) }
        return data
    }

    func refusal(_ request: Request, _ code: CompletionCode) -> BMCError {
        BMCError(
            address: address, doing: request.name, reason: code == .invalidCommand ? .unsupported : .refused,
            "\(code)")
    }

    /// The BMC's fault: what went over the wire is told with it.
    func fault(_ doing: String, _ reason: BMCError.Reason, _ detail: String) -> BMCError {
        BMCError(address: address, doing: doing, reason: reason, detail, exchange: exchange)
    }

    /// The whole conversation.
    mutating func run(_ conversation: inout some Conversation, doing: String) async throws {
        do {
            while true {
                switch conversation.next() {
                case .done: return
                case .pause(let time): try await Task.sleep(for: time)
                case .send(let request):
                    let (code, data) = try await ask(request)
                    try conversation.receive(code, data)
                }
            }
        } catch let error as ConversationError {
            throw BMCError(address: address, doing: doing, error, exchange: exchange)
        }
    }

    /// The completion code and the data behind it. Late and repeated answers of other commands are passed over.
    mutating func ask(_ request: Request) async throws -> (CompletionCode, [UInt8]) {
        var answer = try await attempt(request)
        if answer == nil, request.isRepeatable, mayReopen {
            // A BMC that has restarted knows nothing of this session, and says nothing to it.
            mayReopen = false
            note(request, "no answer; a new session")
            session = try await connection.establish(&line)
            try await becomeAdministrator()
            answer = try await attempt(request)
        }
        if let answer {
            note(request, "\(hex([answer.code.rawValue])) \(hex(answer.data))")
            return (answer.code, answer.data)
        }
        note(request, "no answer")
        guard request.isRepeatable else {
            throw BMCError(
                address: address, doing: request.name, reason: .outcomeUnknown, "sent once, and no answer came",
                exchange: exchange)
        }
        throw BMCError.silent(address, request.name)
    }

    private mutating func note(_ request: Request, _ answer: String) {
        exchange.append("\(request.exchangeText) → \(answer)")
        if exchange.count > Self.kept { exchange.removeFirst() }
    }

    /// Nil when no answer came. A BMC that is busy is asked again when the wait is over.
    private mutating func attempt(_ request: Request) async throws -> Response? {
        var numbers: Set<UInt8> = []
        var busy: Response?
        for wait in connection.times.waits {
            // Cycle and reset go out once: without an answer nobody knows whether they were done. A BMC that was too busy (C0h) has
            // not done them.
            let patience = request.isRepeatable ? wait : connection.times.waits.reduce(.zero, +)
            let (datagram, number) = try session.seal(request, iv: Self.iv())
            numbers.insert(number)
            try await line.write(datagram)
            var session = session
            let found: Response? = try await line.receive(for: patience) { bytes in
                guard let response = session.open(bytes), numbers.contains(response.sequence),
                    response.command == request.command, response.function == request.function.rawValue | 1
                else { return nil }
                return response
            }
            self.session = session
            if let found {
                guard request.isRepeatable ? found.code.isTransient : found.code == .nodeBusy else { return found }
                (busy, numbers) = (found, [])
                try await Task.sleep(for: wait)
            } else if !request.isRepeatable {
                return nil
            }
        }
        return busy
    }

    /// A packet of the console.
    mutating func sendConsole(_ packet: ConsolePacket) async throws {
        try await line.write(try session.seal(packet, iv: Self.iv()))
    }

    /// Sends a command whose answer is one of those that come by ``content(_:)``.
    mutating func sendOnly(_ request: Request) async throws {
        try await line.write(try session.seal(request, iv: Self.iv()).datagram)
    }

    mutating func content(_ datagram: [UInt8]) -> Session.Content? { session.content(datagram) }

    /// Sends a command of which nobody waits for the answer, also when this task is cancelled.
    mutating func sendBlindly(_ request: Request) {
        guard let (datagram, _) = try? session.seal(request, iv: Self.iv()) else { return }
        line.writeBlindly(datagram)
    }

    /// Ends the session. No answer is waited for: a BMC frees a silent session by itself within a minute.
    mutating func close() { sendBlindly(.closeSession(session.bmcSessionID)) }

    private static func iv() -> [UInt8] { (0..<16).map { _ in UInt8.random(in: 0...255) } }
}
