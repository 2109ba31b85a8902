/// Files of the image library by their SHA-256, for the boot HTTP server.
public protocol ImageSource: Sendable {
    /// The path of the verified file whose SHA-256 is `digest` (64 hex digits), nil when the library does not hold it.
    func path(ofImage digest: String) async -> String?
}
