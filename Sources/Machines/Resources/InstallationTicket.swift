import Crypto
import FoundationEssentials

/// The right to fetch one installation's files and to tell what becomes of it, for its installer and for the system at its first start. Only the
/// ticket's hash is kept.
public struct InstallationTicket: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "installation-ticket"

    /// SHA-256 (hex) of the ticket.
    public let id: String
    public let machine: String
    public let operation: String
    public let expiresAt: Date
    /// What the installer fetches, by name, sealed.
    public private(set) var files: [String: Secret] = [:]
    /// Its installer tells nothing: once it has its files the machine is its disk's.
    public var endsWhenFetched = false
    /// What it installs tells of itself by its own way, which is believed from the addresses that are known to be its.
    public var isListenedTo: Bool?

    public init(id: String, machine: String, operation: String, expiresAt: Date) {
        (self.id, self.machine, self.operation, self.expiresAt) = (id, machine, operation, expiresAt)
    }

    /// Adds a file that this ticket's holder may fetch.
    public mutating func put(_ file: ServedFile, key: SymmetricKey) throws {
        files[file.name] = try Secret(id: "\(id)/\(file.name)", text: file.content, key: key)
    }

    /// - Returns: nil when the installation has no such file.
    public func content(of name: String, key: SymmetricKey) throws -> String? { try files[name]?.open(with: key) }
}

/// A file that an installer fetches. Secrets are in it.
public struct ServedFile: Codable, Equatable, Sendable {
    /// A part of a URL.
    public var name: String
    public var content: String

    public init(name: String, content: String) { (self.name, self.content) = (name, content) }
}

/// What an installer or an installed system tells.
public enum InstallationNews: String, Sendable, CaseIterable {
    case started, installed, failed
    case firstBoot = "first-boot"
    /// It joined its cluster, by its own word.
    case joined
}
