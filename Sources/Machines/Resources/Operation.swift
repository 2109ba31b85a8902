import FoundationEssentials

/// Work on one machine that a person or a claim asked for.
public struct Operation: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "operation"

    public enum Verb: String, Codable, Sendable { case provision }
    public enum State: String, Codable, Sendable { case pending, running, succeeded, failed }

    public let id: String
    public let verb: Verb
    /// Id of the machine.
    public let machine: String
    /// Name of the token that asked.
    public let requestedBy: String
    /// What the machine is to become.
    public let assignment: Machine.Assignment
    public let createdAt: Date
    public var state = State.pending
    /// Orders issued so far; a third lost one fails the operation.
    public var attempts = 0
    /// The order now with the agent.
    public var order: OrderTicket?
    /// The join token made for ``order``; a new order replaces it.
    public var joinToken: String?
    /// When the agent reported the image written and verified.
    public var installedAt: Date?
    public var error: String?
    public var finishedAt: Date?

    public static let maximumAttempts = 3

    public init(
        id: String, verb: Verb, machine: String, requestedBy: String, assignment: Machine.Assignment, createdAt: Date
    ) {
        (self.id, self.verb, self.machine, self.requestedBy) = (id, verb, machine, requestedBy)
        (self.assignment, self.createdAt) = (assignment, createdAt)
    }

    public var isFinished: Bool { state == .succeeded || state == .failed }

    /// What the daemon remembers of an order; its secrets are not stored.
    public struct OrderTicket: Codable, Equatable, Sendable {
        public var id: String
        /// Session it went to.
        public var session: String
        public var issuedAt: Date
        public var expiresAt: Date
        /// What there will be once it is carried out.
        public var installs: InstalledSystem?

        public init(
            id: String, session: String, issuedAt: Date, expiresAt: Date, installs: InstalledSystem? = nil
        ) {
            (self.id, self.session, self.issuedAt, self.expiresAt) = (id, session, issuedAt, expiresAt)
            self.installs = installs
        }
    }
}
