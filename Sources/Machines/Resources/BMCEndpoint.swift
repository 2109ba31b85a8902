import FoundationEssentials

extension Machine {
    /// Where the management controller is and how to log in, as a person said.
    public struct BMCEndpoint: Codable, Equatable, Sendable {
        /// An IP address; of Wake-on-LAN the broadcast address of the machine's network; empty for a machine without a BMC.
        public var address: String
        /// Nil: the kind's own.
        public var port: Int?
        /// Nil: found out by asking.
        public var kind: BMCKind?
        /// Of Redfish; nil: ``BMCVerification/firstUse``.
        public var verification: BMCVerification?
        public var username: String?
        /// Id of the ``Secret`` that holds the password.
        public var passwordSecret: String?
        /// Id of the ``Secret`` that holds the password which is being set. Until that is known to be done, either may be right.
        public var nextPasswordSecret: String?

        /// The serial console is opened during boots, and kept; nil: it is. Most BMCs have one for one person at a time.
        public var recordsConsole: Bool?

        public init(
            address: String, port: Int? = nil, kind: BMCKind? = nil, verification: BMCVerification? = nil,
            username: String? = nil, passwordSecret: String? = nil
        ) {
            (self.address, self.port, self.kind, self.verification) = (address, port, kind, verification)
            (self.username, self.passwordSecret) = (username, passwordSecret)
        }
    }

    /// A user that the agent is making in the BMC, from within, or could not make.
    public struct BMCSetUp: Codable, Equatable, Sendable {
        /// Id of the order.
        public var order: String
        public var username: String
        /// Id of the ``Secret`` that holds the password.
        public var passwordSecret: String
        public var requestedBy: String
        /// Why it was not made; nil while it is being made.
        public var failure: String?

        /// The secret while the password may become the user's.
        public var openSecret: String? { failure == nil ? passwordSecret : nil }

        public init(order: String, username: String, passwordSecret: String, requestedBy: String) {
            (self.order, self.username, self.passwordSecret) = (order, username, passwordSecret)
            self.requestedBy = requestedBy
        }
    }

    /// What was found at a ``BMCEndpoint``.
    public struct BMCStatus: Codable, Equatable, Sendable {
        /// Where; what was found at another address or port says nothing.
        public var address: String
        public var port: Int?
        public var kind: BMCKind
        /// The one that is believed, or that an authority signed.
        public var certificate: BMCCertificate?
        /// Since when it is believed for its own sake.
        public var pinnedAt: Date?
        public var description: BMCDescription?

        public init(
            address: String, port: Int?, kind: BMCKind, certificate: BMCCertificate? = nil, pinnedAt: Date? = nil,
            description: BMCDescription? = nil
        ) {
            (self.address, self.port, self.kind, self.certificate) = (address, port, kind, certificate)
            (self.pinnedAt, self.description) = (pinnedAt, description)
        }
    }
}

/// How the certificate of a BMC is judged.
public enum BMCVerification: String, Codable, Sendable, CaseIterable {
    /// The one that it showed first is believed from then on, and shown to people.
    case firstUse = "first-use"
    /// An authority of `bmc_authorities` has to have signed it for this address.
    case authorities
    /// Any certificate: whoever is in between reads the password.
    case off
}
