import APIModel
import Crypto
import FoundationEssentials
import Inventory
import Machines
import NIOCore
import NIOHTTP1

/// The agent's side of its session. Calls are repeated until the daemon answers: it may be killed and come back.
public struct AgentSessionClient: Sendable {
    let client: DaemonClient
    let reply: SessionReply
    let orderKey: Curve25519.Signing.PublicKey
    /// Agent's uptime when the daemon's time was ``SessionReply/time``.
    let receivedAt: Double

    /// The daemon does not know this session any more.
    struct Over: Error, CustomStringConvertible {
        var description: String
    }

    /// Opens a session.
    /// - Throws: ``Over`` when the daemon refuses the ticket.
    public static func open(_ client: DaemonClient, _ request: SessionRequest) async throws -> AgentSessionClient {
        let answer = try await persist("open a session") {
            try await client.call(
                .POST, AgentPath.sessions, token: nil, body: try JSONEncoder().encode(request), timeout: .seconds(15))
        }
        let reply = try JSONDecoder().decode(SessionReply.self, from: answer.body)
        return AgentSessionClient(
            client: client, reply: reply, orderKey: try Curve25519.Signing.PublicKey(rawRepresentation: reply.orderKey),
            receivedAt: Console.uptime)
    }

    /// The daemon's time, by this machine's monotonic clock.
    public var now: Date { reply.time.addingTimeInterval(Console.uptime - receivedAt) }

    public func report(_ hardware: HardwareReport) async throws {
        _ = try await call("report the hardware", .PUT, AgentPath.hardware, body: try JSONEncoder().encode(hardware))
    }

    /// Reports what is new, when the daemon wants to hear it: orders do not wait for that.
    /// - Returns: false when it is to be tried again later.
    public func report(news hardware: HardwareReport) async throws -> Bool {
        let body = try JSONEncoder().encode(hardware)
        let answer = try await Self.persist("report the hardware", mayBeLater: true) {
            try await client.call(
                .PUT, AgentPath.hardware, token: reply.token, body: body, timeout: .seconds(15))
        }
        return answer.status != 429
    }

    /// The next order; nil when there was none in one poll.
    public func nextOrder() async throws -> SignedOrder? {
        let answer = try await call(
            "ask for orders", .GET, AgentPath.orders, timeout: .seconds(Int64(reply.pollSeconds) + 20))
        if answer.status == 200 { return try JSONDecoder().decode(SignedOrder.self, from: answer.body) }
        if let seconds = answer.retryAfter {
            try await Task.sleep(
                for: .seconds(Double(min(AgentPace.longest, max(0, seconds))) * .random(in: AgentPace.jitter)))
        }
        return nil
    }

    /// Tells how far the work is. One that is lost is not repeated: the next one says more.
    public func tell(_ progress: OrderProgress, order: String) async {
        guard let body = try? JSONEncoder().encode(progress) else { return }
        _ = try? await client.call(
            .POST, AgentPath.progress(order), token: reply.token, body: body, timeout: .seconds(5))
    }

    /// Returns when the daemon has it, and not before.
    public func finish(_ result: OrderResult, order: String) async throws {
        _ = try await call("report the result", .POST, AgentPath.result(order), body: try JSONEncoder().encode(result))
    }

    /// Sends what a shell printed, until it is answered.
    func send(_ output: ShellOutput, order: String) async throws -> ShellReply {
        let answer = try await call(
            "send the shell's output", .POST, AgentPath.shellOutput(order), body: try JSONEncoder().encode(output))
        return try JSONDecoder().decode(ShellReply.self, from: answer.body)
    }

    /// What was typed for a shell behind `after`.
    func shellInput(order: String, epoch: String, after: Int64) async throws -> ShellInput {
        let answer = try await call(
            "ask for the shell's input", .GET, AgentPath.shellInput(order) + "?epoch=\(epoch)&after=\(after)",
            timeout: .seconds(Int64(reply.pollSeconds) + 20))
        return try JSONDecoder().decode(ShellInput.self, from: answer.body)
    }

    private func call(
        _ what: String, _ method: HTTPMethod, _ path: String, body: Data? = nil, timeout: TimeAmount = .seconds(15)
    ) async throws -> DaemonClient.Answer {
        try await Self.persist(what) {
            try await client.call(method, path, token: reply.token, body: body, timeout: timeout)
        }
    }

    /// Repeats until there is an answer. Refusals end it; silence and faults of the daemon do not.
    /// - Parameter mayBeLater: "too often" (429) is an answer, too.
    private static func persist(
        _ what: String, mayBeLater: Bool = false, _ call: () async throws -> DaemonClient.Answer
    ) async throws -> DaemonClient.Answer {
        var failures = 0
        while true {
            var wanted = 0
            do {
                let answer = try await call()
                wanted = min(60, max(0, answer.retryAfter ?? 0))
                switch answer.status {
                case 200..<300: return answer
                case 429 where mayBeLater: return answer
                case 400..<500 where answer.status != 408 && answer.status != 429:
                    let detail = (try? JSONDecoder().decode([String: String].self, from: answer.body))?["detail"]
                    let problem = (try? JSONDecoder().decode(Problem.self, from: answer.body))?.detail
                    throw Over(description: "\(what): \(detail ?? problem ?? "the daemon answered \(answer.status)")")
                case 429:
                    let problem = (try? JSONDecoder().decode(Problem.self, from: answer.body))?.detail
                    throw DaemonClientError(server: "daemon", reason: problem ?? "answered 429")
                default: throw DaemonClientError(server: "daemon", reason: "answered \(answer.status)")
                }
            } catch let over as Over {
                throw over
            } catch {
                failures += 1
                if failures == 1 || failures % 10 == 0 { Console.say("cannot \(what), going on trying: \(error)") }
                let seconds = min(10, 0.25 * Double(1 << min(failures, 6))) * Double.random(in: 0.8...1.2)
                try await Task.sleep(for: .seconds(max(seconds, Double(wanted))))
            }
        }
    }

    private struct Problem: Decodable {
        var detail: String
    }
}
