import FoundationEssentials

/// The right to tell what becomes of one installation, for its installer and for the system at its first start. Only the ticket's hash is kept.
public struct InstallationTicket: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "installation-ticket"

    /// SHA-256 (hex) of the ticket.
    public let id: String
    public let machine: String
    public let operation: String
    public let expiresAt: Date

    public init(id: String, machine: String, operation: String, expiresAt: Date) {
        (self.id, self.machine, self.operation, self.expiresAt) = (id, machine, operation, expiresAt)
    }
}

/// What an installer or an installed system tells.
public enum InstallationNews: String, Sendable, CaseIterable {
    case started, installed, failed
    case firstBoot = "first-boot"
}
