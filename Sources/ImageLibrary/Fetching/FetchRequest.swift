/// What is asked of a server.
struct FetchRequest: Sendable {
    var url: String
    /// The first byte that is wanted; nil: all of them.
    var start: Int64?
    /// Media types; nil: any.
    var accept: String?
    /// For the server that ``url`` names, and no other.
    var authorization: String?

    init(_ url: String, start: Int64? = nil) { (self.url, self.start) = (url, start) }

    func authorized(by token: String?) -> Self {
        var request = self
        request.authorization = token.map { "Bearer " + $0 }
        return request
    }
}
