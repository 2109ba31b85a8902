/// Why a request was not carried out. The API turns it into a problem answer; nothing was changed.
public struct ServiceError: Error, Equatable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The request itself is wrong.
        case invalid
        /// Who asks is not who they say, or may not.
        case unauthorized
        case notFound
        /// Right in itself, but not now, or somebody else was faster.
        case conflict
        /// `If-Match` names an older generation.
        case stale
        /// Another system did not do its part: a BMC, an image server.
        case upstream
        /// A session that is over; the agent starts anew.
        case gone
        /// Asked for too often.
        case busy
    }

    public var kind: Kind
    /// What is wrong and what to do, for a person.
    public var message: String
    /// The field of the request.
    public var field: String?
    /// Seconds after which trying again can help.
    public var retryAfter: Int?

    public init(_ kind: Kind, _ message: String, field: String? = nil, retryAfter: Int? = nil) {
        (self.kind, self.message, self.field, self.retryAfter) = (kind, message, field, retryAfter)
    }

    public var description: String { message }
}
