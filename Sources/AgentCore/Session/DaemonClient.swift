import FoundationEssentials
import NIOCore
import NIOHTTP1
import Synchronization

/// HTTPS calls to the daemon, known by its CA's key. The connection of a call is kept for the next one, for some seconds: a handshake
/// costs both sides more than a call. The daemon may be killed at any moment, so a call that a kept connection did not carry has a fresh one.
public final class DaemonClient: Sendable {
    let host: String
    let port: Int
    let pin: String
    /// How long an idle connection is kept; zero: each call has its own.
    private let idleTime: TimeAmount
    private let kept = Mutex<DaemonConnection?>(nil)

    /// - Parameter pin: SHA-256 (hex) of the daemon's CA's SubjectPublicKeyInfo.
    public init(host: String, port: Int, pin: String, idleTime: TimeAmount = .seconds(5)) {
        (self.host, self.port, self.pin, self.idleTime) = (host, port, pin, idleTime)
    }

    public struct Answer: Sendable {
        public var status: Int
        public var body: Data
        /// Seconds to wait before it is tried again, where the daemon says so.
        public var retryAfter: Int?
    }

    /// One call.
    /// - Throws: ``DaemonClientError`` when there was no answer.
    public func call(
        _ method: HTTPMethod, _ path: String, token: String?, body: Data?, timeout: TimeAmount
    ) async throws -> Answer {
        let request = request(method, path, token: token, body: body)
        do {
            if let connection = take() {
                do {
                    return try await ask(connection, request, timeout: timeout)
                } catch is DaemonConnection.Ended {
                    // The daemon closed it, or is another one by now.
                }
            }
            let connection = try await DaemonConnection.open(host: host, port: port, pin: pin, idleTime: idleTime)
            return try await ask(connection, request, timeout: timeout)
        } catch {
            throw DaemonClientError(server: "\(host):\(port)", reason: "\(error)")
        }
    }

    private func ask(
        _ connection: DaemonConnection, _ request: DaemonConnection.Request, timeout: TimeAmount
    ) async throws -> Answer {
        let (answer, isReusable) = try await connection.ask(request, timeout: timeout)
        // Whoever is told to come later leaves its place to others.
        if isReusable, answer.retryAfter == nil { keep(connection) } else { connection.close() }
        return answer
    }

    private func take() -> DaemonConnection? {
        let connection = kept.withLock { kept in
            defer { kept = nil }
            return kept
        }
        return connection?.isActive == true ? connection : nil
    }

    /// Calls that run side by side have a connection each; the one that ends last is kept.
    private func keep(_ connection: DaemonConnection) {
        let former = kept.withLock { kept in
            defer { kept = connection }
            return kept
        }
        former?.close()
    }

    private func request(
        _ method: HTTPMethod, _ path: String, token: String?, body: Data?
    ) -> DaemonConnection.Request {
        var headers = HTTPHeaders([("Host", "\(host):\(port)")])
        if idleTime == .zero { headers.add(name: "Connection", value: "close") }
        if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
        headers.add(name: "Content-Length", value: "\(body?.count ?? 0)")
        if body != nil { headers.add(name: "Content-Type", value: "application/json") }
        return DaemonConnection.Request(
            head: HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers),
            body: body.map { ByteBuffer(bytes: $0) })
    }
}

/// The daemon was not reached.
public struct DaemonClientError: Error, CustomStringConvertible {
    var server: String
    var reason: String

    public var description: String { "\(server): \(reason)" }
}
