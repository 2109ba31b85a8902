/// What says that a release's files are its makers'.
public struct ReleaseProof: Codable, Equatable, Sendable {
    /// Fingerprints of the OpenPGP keys that signed them, each of them by one; empty: digests that were published beside them, and came by TLS as
    /// they did.
    public var signers: [String]

    public init(signers: [String]) { self.signers = signers }

    /// - Parameter signers: of each file; nil: nobody, and then all of them count for nothing.
    public init(files signers: [String?]) {
        self.init(signers: signers.contains(nil) ? [] : Set(signers.compactMap(\.self)).sorted())
    }

    public var isSigned: Bool { !signers.isEmpty }

    /// For a person.
    public var words: String {
        isSigned ? "signed by the key \(signers.joined(separator: " and "))" : "digests only, over TLS"
    }
}
