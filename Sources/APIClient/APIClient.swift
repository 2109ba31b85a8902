import APIModel
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import NIOSSL
import Synchronization

/// A client of the REST API. It trusts the installation's CA and no other.
public struct APIClient: Sendable {
    /// Where the daemon is and how to be let in.
    public struct Access: Sendable {
        /// `https://host:port`.
        public var server: String
        /// Bearer token.
        public var token: String
        /// Path of the CA's certificate in PEM; nil: the system's trust store.
        public var certificateAuthority: String?

        public init(server: String, token: String, certificateAuthority: String?) {
            (self.server, self.token, self.certificateAuthority) = (server, token, certificateAuthority)
        }
    }

    public enum Method: Sendable {
        case get, post, put, patch, delete

        fileprivate var http: HTTPMethod {
            switch self {
            case .get: .GET
            case .post: .POST
            case .put: .PUT
            case .patch: .PATCH
            case .delete: .DELETE
            }
        }
    }

    private let access: Access
    private let http: HTTPClient

    /// Opens a client for the time of `body`.
    public static func with<Result: Sendable>(
        _ access: Access, _ body: @Sendable (APIClient) async throws -> Result
    ) async throws -> Result {
        var configuration = HTTPClient.Configuration()
        var tls = TLSConfiguration.makeClientConfiguration()
        // A daemon that is in the middle of a watch does not say goodbye: nobody waits for it.
        tls.shutdownTimeout = .milliseconds(100)
        if let file = access.certificateAuthority {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            } catch {
                throw ClientError("the CA file \(file) cannot be read: \(error)")
            }
        }
        configuration.tlsConfiguration = tls
        configuration.timeout.connect = .seconds(10)
        let http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let result = try await body(APIClient(access: access, http: http))
            try await http.shutdown()
            return result
        } catch {
            try? await http.shutdown()
            throw error
        }
    }

    /// One call with a JSON answer.
    public func call<Answer: Decodable>(
        _ method: Method, _ path: String, body: (any Encodable & Sendable)? = nil, ifMatch: Int64? = nil,
        as _: Answer.Type = Answer.self, timeout: TimeAmount = .seconds(150)
    ) async throws -> Answer {
        var request = request(method.http, path)
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(data: try APICoding.encoder.encode(body)))
        }
        if let ifMatch { request.headers.add(name: "If-Match", value: "\"\(ifMatch)\"") }
        let response = try await execute(request, timeout: timeout)
        let data = Data(buffer: try await response.body.collect(upTo: 256 << 20))
        try check(response.status, data)
        return try APICoding.decoder.decode(Answer.self, from: data)
    }

    /// A whole collection, read page by page: a list of ten thousand machines would keep a daemon from its work. In the order of ids.
    /// - Parameter path: with its query, but for the page.
    public func list<Item: Decodable & Sendable>(_ path: String, as _: Item.Type = Item.self) async throws -> [Item] {
        var (items, after) = ([Item](), String?.none)
        repeat {
            let place = after.map { "&after=\(Self.escaped($0))" } ?? ""
            let page = try await call(
                .get, path + (path.contains("?") ? "&" : "?") + "limit=\(Self.pageSize)" + place, as: Page<Item>.self)
            items += page.items
            after = page.next
        } while after != nil
        return items
    }

    private struct Page<Item: Decodable & Sendable>: Decodable {
        var items: [Item]
        var next: String?
    }

    private static let pageSize = 500

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }

    /// A page or a file.
    public func text(_ path: String, timeout: TimeAmount = .seconds(150)) async throws -> String {
        let response = try await execute(request(.GET, path), timeout: timeout)
        let data = Data(buffer: try await response.body.collect(upTo: 64 << 20))
        try check(response.status, data)
        return String(decoding: data, as: UTF8.self)
    }

    /// One call without an answer.
    public func send(_ method: Method, _ path: String, timeout: TimeAmount = .seconds(150)) async throws {
        let response = try await execute(request(method.http, path), timeout: timeout)
        try check(response.status, Data(buffer: try await response.body.collect(upTo: 1 << 20)))
    }

    /// Whether the library holds an image.
    public func hasImage(_ digest: String) async throws -> Bool {
        let response = try await execute(request(.HEAD, "/api/v1/images/\(digest)"), timeout: .seconds(30))
        if response.status == .ok { return true }
        guard response.status == .notFound else {
            try check(response.status, Data())
            return false
        }
        return false
    }

    /// Sends a file into the image library.
    public func sendImage(_ digest: String, bytes: Int64, chunks: some AsyncSequence<ByteBuffer, any Error> & Sendable)
        async throws
    {
        var request = request(.PUT, "/api/v1/images/\(digest)")
        request.body = .stream(chunks, length: .known(bytes))
        let response = try await execute(request, timeout: .hours(1))
        try check(response.status, Data(buffer: try await response.body.collect(upTo: 1 << 20)))
    }

    /// How a watch ended.
    public enum WatchEnd: Sendable {
        /// The reader wanted no more.
        case left
        /// The server closed it.
        case closed
    }

    /// Follows a collection by server-sent events; ends when the connection does, or nothing was heard for half a minute.
    @discardableResult public func watch<Item: Decodable & Sendable>(
        _ path: String, as _: Item.Type, each: @escaping @Sendable (WatchEvent<Item>) async throws -> Bool
    ) async throws -> WatchEnd {
        let heard = LastHeard()
        return try await withThrowingTaskGroup(of: WatchEnd.self) { group in
            group.addTask { try await read(path, heard: heard, each: each) }
            group.addTask {
                while true {
                    let last = heard.time
                    guard last.duration(to: .now) < Self.silence else {
                        throw ClientError("\(access.server) has been silent for \(Self.silence)")
                    }
                    try await Task.sleep(until: last.advanced(by: Self.silence), clock: .continuous)
                }
            }
            defer { group.cancelAll() }
            guard let end = try await group.next() else { return .closed }
            return end
        }
    }

    /// The server sends something every ten seconds.
    private static let silence = Duration.seconds(35)

    private func read<Item: Decodable & Sendable>(
        _ path: String, heard: LastHeard, each: @Sendable (WatchEvent<Item>) async throws -> Bool
    ) async throws -> WatchEnd {
        var request = request(.GET, path)
        request.headers.add(name: "Accept", value: "text/event-stream")
        let response = try await execute(request, timeout: .hours(24 * 365))
        if response.status != .ok {
            try check(response.status, Data(buffer: try await response.body.collect(upTo: 1 << 20)))
        }
        var parser = EventStreamParser()
        var chunks = response.body.makeAsyncIterator()
        while true {
            let chunk: ByteBuffer?
            do {
                chunk = try await chunks.next()
            } catch {
                throw ClientError("\(access.server) ended the watch: \(error)")
            }
            guard let chunk else { return .closed }
            heard.note()
            for frame in parser.feed(chunk.readableBytesView) {
                let event: WatchEvent<Item>
                switch frame.event {
                case "put": event = .put(try APICoding.decoder.decode(Item.self, from: Data(frame.data.utf8)))
                case "listed": event = .listed
                case "delete":
                    let body = try APICoding.decoder.decode([String: String].self, from: Data(frame.data.utf8))
                    event = .delete(body["id"] ?? "")
                default: continue
                }
                guard try await each(event) else { return .left }
                // A slow reader is no silent server.
                heard.note()
            }
        }
    }

    private func request(_ method: HTTPMethod, _ path: String) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: access.server + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(access.token)")
        return request
    }

    private func execute(_ request: HTTPClientRequest, timeout: TimeAmount) async throws -> HTTPClientResponse {
        do {
            return try await http.execute(request, timeout: timeout)
        } catch let error as HTTPClientError {
            throw ClientError("\(access.server) does not answer: \(error.shortDescription)")
        } catch let error as NIOSSLError {
            throw ClientError(
                "\(access.server) is not who it should be: \(error); is the CA file that of this installation?")
        } catch {
            throw ClientError("\(access.server) cannot be reached: \(error)")
        }
    }

    private func check(_ status: HTTPResponseStatus, _ body: Data) throws {
        guard status.code >= 300 else { return }
        if let problem = try? APICoding.decoder.decode(ProblemView.self, from: body) { throw problem }
        throw ProblemView(title: status.reasonPhrase, status: Int(status.code), detail: "the server answered \(status)")
    }
}

/// When the server said something last.
private final class LastHeard: Sendable {
    private let moment = Mutex(ContinuousClock.now)

    var time: ContinuousClock.Instant { moment.withLock { $0 } }

    func note() { moment.withLock { $0 = .now } }
}

/// One message of a watch.
public enum WatchEvent<Item: Sendable>: Sendable {
    case put(Item)
    /// All that was there has been sent.
    case listed
    case delete(String)
}

/// A call that failed before the server could answer.
public struct ClientError: Error, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
