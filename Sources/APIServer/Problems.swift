import APIModel
import ClusterMembership
import Controllers
import FoundationEssentials
import HTTPTypes
import Hummingbird
import ImageLibrary
import Logging
import NIOCore
import Store

/// Turns every error into `application/problem+json` (RFC 9457), in this one place.
struct ProblemMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = ProblemView(error)
            if problem.status >= 500 {
                context.logger.error(
                    "request failed", metadata: ["path": "\(request.pathWithoutSecrets)", "error": "\(error)"])
            }
            var response = try Response.json(
                problem, status: .init(code: problem.status), type: "application/problem+json")
            // RFC 9110 §10.2.3.
            if let seconds = (error as? ServiceError)?.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
            return response
        }
    }
}

extension Request {
    /// What follows `installations/` is a ticket.
    fileprivate var pathWithoutSecrets: String {
        guard let end = uri.path.firstRange(of: InstallationRoutes.prefix)?.upperBound else { return uri.path }
        return uri.path[..<end] + "…"
    }
}

extension ProblemView {
    init(_ error: any Error) {
        switch error {
        case let problem as ProblemView: self = problem
        case let error as ServiceError: self.init(error)
        case let error as JoinRefusal: self.init(title: "Not admitted", status: 401, detail: error.description)
        case let error as ImageError: self.init(error)
        case let error as StoreError: self.init(error)
        case let error as HTTPError:
            self.init(
                title: error.status.reasonPhrase, status: error.status.code,
                detail: error.body ?? error.status.reasonPhrase)
        case let error as DecodingError: self.init(error)
        default:
            self.init(title: "Internal error", status: 500, detail: "the daemon's log says more about this request")
        }
    }

    private init(_ error: ServiceError) {
        let (title, status): (String, Int) =
            switch error.kind {
            case .invalid: ("Invalid request", 400)
            case .unauthorized: ("Not authorized", 401)
            case .notFound: ("Not found", 404)
            case .conflict: ("Conflict", 409)
            case .stale: ("Changed meanwhile", 412)
            case .upstream: ("Another system failed", 502)
            case .gone: ("Gone", 410)
            case .busy: ("Too often", 429)
            }
        self.init(title: title, status: status, detail: error.message, field: error.field)
    }

    private init(_ error: DecodingError) {
        let context: DecodingError.Context
        var missing: String?
        switch error {
        case .keyNotFound(let key, let where_): (context, missing) = (where_, key.stringValue)
        case .typeMismatch(_, let where_), .valueNotFound(_, let where_), .dataCorrupted(let where_): context = where_
        @unknown default:
            self.init(title: "Invalid request", status: 400, detail: "the body cannot be read")
            return
        }
        let path = (context.codingPath.map(\.stringValue) + [missing].compactMap { $0 }).joined(separator: ".")
        self.init(
            title: "Invalid request", status: 400,
            detail: missing == nil ? context.debugDescription : "the field \(path) is missing",
            field: path.isEmpty ? nil : path)
    }

    private init(_ error: ImageError) {
        let status = error.isOutOfSpace ? 507 : error.isMismatch ? 422 : 500
        self.init(title: "Image not stored", status: status, detail: error.description)
    }

    private init(_ error: StoreError) {
        switch error {
        case .conflict:
            self.init(title: "Conflict", status: 409, detail: "somebody else changed this at the same time; try again")
        case .compacted:
            self.init(title: "Gone", status: 410, detail: "this revision is too old to watch from; list again")
        default:
            self.init(title: "Store failed", status: 503, detail: "\(error)")
        }
    }
}

extension Response {
    /// A JSON answer.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, type: String = "application/json",
        etag: String? = nil,
        encoder: JSONEncoder = APICoding.encoder
    ) throws -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        if let etag { headers[.eTag] = etag }
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: try encoder.encode(value))))
    }

    static var noContent: Response { Response(status: .noContent) }
}

extension Request {
    /// The body, or 413 where it is larger than `limit` bytes.
    func collectBody(limit: Int) async throws -> ByteBuffer {
        do {
            return try await body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw ProblemView(title: "Too large", status: 413, detail: "the body is larger than \(limit) bytes")
        }
    }

    /// The JSON body, at most `limit` bytes.
    func json<Body: Decodable>(
        _: Body.Type, limit: Int = 1 << 20, decoder: JSONDecoder = APICoding.decoder
    ) async throws -> Body {
        let buffer = try await collectBody(limit: limit)
        return try decoder.decode(Body.self, from: Data(buffer.readableBytesView))
    }

    /// The generation in `If-Match`, nil without one or with `*`.
    func ifMatch() throws -> Int64? {
        guard let value = headers[.ifMatch], value != "*" else { return nil }
        guard let generation = Int64(value.trimmingQuotes) else {
            throw ProblemView(
                title: "Invalid request", status: 400, detail: "If-Match: \(value) is not an ETag of this API",
                field: "If-Match")
        }
        return generation
    }

    /// The bearer token.
    var bearer: String? {
        guard let value = headers[.authorization], value.lowercased().hasPrefix("bearer ") else { return nil }
        return String(value.dropFirst("bearer ".count))
    }

    /// A flag of the query such as `?watch=true`.
    func flag(_ name: Substring) -> Bool {
        uri.queryParameters[name].map { $0 == "true" || $0 == "1" || $0 == "" } ?? false
    }
}

extension String {
    fileprivate var trimmingQuotes: Substring {
        hasPrefix("\"") && hasSuffix("\"") && count >= 2 ? dropFirst().dropLast() : self[...]
    }
}
