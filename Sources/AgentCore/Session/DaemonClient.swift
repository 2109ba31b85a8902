import FoundationEssentials
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// HTTPS calls to the daemon, known by its CA's key. A connection for each call: the daemon may be killed at any moment, and a
/// fresh connection is the one state that is always right.
public struct DaemonClient: Sendable {
    let host: String
    let port: Int
    let pin: String

    public init(host: String, port: Int, pin: String) { (self.host, self.port, self.pin) = (host, port, pin) }

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
        do {
            return try await exchange(method, path, token: token, body: body, timeout: timeout)
        } catch let error as DaemonClientError {
            throw error
        } catch {
            throw DaemonClientError(server: "\(host):\(port)", reason: "\(error)")
        }
    }

    private func exchange(
        _ method: HTTPMethod, _ path: String, token: String?, body: Data?, timeout: TimeAmount
    ) async throws -> Answer {
        var tls = TLSConfiguration.makeClientConfiguration()
        // The callback below decides; the system has no trust store here to be loaded.
        tls.trustRoots = .certificates([])
        tls.certificateVerification = .noHostnameVerification
        let context = try NIOSSLContext(configuration: tls)
        let (host, port, pin) = (host, port, pin)
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(5))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handlers = channel.pipeline.syncOperations
                    try handlers.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil) { certificates, promise in
                            let chain = certificates.compactMap { try? $0.toDERBytes() }
                            promise.succeed(CertificatePin.accepts(chain, pin: pin) ? .certificateVerified : .failed)
                        })
                    try handlers.addHTTPClientHandlers()
                    return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
                        wrappingChannelSynchronously: channel)
                }
            }
        // A server that goes silent must not hold the agent: the timer closes the connection under it.
        let timer = channel.channel.eventLoop.scheduleTask(in: timeout) { channel.channel.close(promise: nil) }
        defer { timer.cancel() }
        return try await channel.executeThenClose { inbound, outbound in
            var headers = HTTPHeaders([("Host", "\(host):\(port)"), ("Connection", "close")])
            if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
            headers.add(name: "Content-Length", value: "\(body?.count ?? 0)")
            if body != nil { headers.add(name: "Content-Type", value: "application/json") }
            var parts: [HTTPClientRequestPart] = [
                .head(HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers))
            ]
            if let body { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
            try await outbound.write(contentsOf: parts + [.end(nil)])
            var status = 0
            var retryAfter: Int?
            var received = Data()
            for try await part in inbound {
                switch part {
                case .head(let head):
                    status = Int(head.status.code)
                    retryAfter = head.headers.first(name: "Retry-After").flatMap { Int($0) }
                case .body(let buffer):
                    received.append(contentsOf: buffer.readableBytesView)
                    guard received.count < 16 << 20 else {
                        throw DaemonClientError(server: "\(host):\(port)", reason: "the answer is too long")
                    }
                case .end: return Answer(status: status, body: received, retryAfter: retryAfter)
                }
            }
            throw DaemonClientError(server: "\(host):\(port)", reason: "the connection ended before the answer did")
        }
    }
}

/// The daemon was not reached.
public struct DaemonClientError: Error, CustomStringConvertible {
    var server: String
    var reason: String

    public var description: String { "\(server): \(reason)" }
}
