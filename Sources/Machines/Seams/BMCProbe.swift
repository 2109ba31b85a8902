import FoundationEssentials

/// What answers at an address.
public struct BMCProbe: Codable, Equatable, Sendable {
    /// One protocol's part.
    public struct Finding: Codable, Equatable, Sendable {
        public enum Outcome: String, Codable, Sendable {
            /// It speaks the protocol.
            case answers
            /// Nothing there, or nothing that speaks it.
            case absent
        }

        public var kind: BMCKind
        public var port: Int
        public var outcome: Outcome
        /// What is told without logging in, for people: `cipher suites 3, 17`, `vendor Dell`.
        public var facts: [String]
        /// The certificate that it showed.
        public var certificate: BMCCertificate?
        /// With the credentials; nil without.
        public var description: BMCDescription?
        /// What went wrong, in a sentence.
        public var problem: String?

        public init(
            kind: BMCKind, port: Int, outcome: Outcome, facts: [String] = [], certificate: BMCCertificate? = nil,
            description: BMCDescription? = nil, problem: String? = nil
        ) {
            (self.kind, self.port, self.outcome, self.facts) = (kind, port, outcome, facts)
            (self.certificate, self.description, self.problem) = (certificate, description, problem)
        }
    }

    public var address: String
    public var findings: [Finding]

    public init(address: String, findings: [Finding]) { (self.address, self.findings) = (address, findings) }

    /// Redfish where it works, IPMI else: of those that answer the first that could log in, or, when none was logged in to, the first.
    public var recommended: BMCKind? {
        let answering = [BMCKind.redfish, .ipmi].compactMap { kind in
            findings.first { $0.kind == kind && $0.outcome == .answers }
        }
        return (answering.first { $0.description != nil } ?? answering.first)?.kind
    }
}

/// A certificate that a BMC showed.
public struct BMCCertificate: Codable, Equatable, Sendable {
    /// Of its DER form: 64 lower-case hex digits.
    public var sha256: String
    public var subject: String
    public var issuer: String
    public var notBefore: Date
    public var notAfter: Date
    /// An authority of the installation signed it for this address.
    public var isAuthorized: Bool

    public init(
        sha256: String, subject: String, issuer: String, notBefore: Date, notAfter: Date, isAuthorized: Bool
    ) {
        (self.sha256, self.subject, self.issuer) = (sha256, subject, issuer)
        (self.notBefore, self.notAfter, self.isAuthorized) = (notBefore, notAfter, isAuthorized)
    }
}
