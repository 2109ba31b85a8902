import FoundationEssentials
import Inventory
import Machines

/// What an installed system is told so that it joins its cluster. The token is a secret.
public struct JoinConfiguration: Sendable {
    public var machine: String
    public var hostname: String
    public var cluster: String
    public var release: String
    /// `https://…` of the daemon as machines reach it.
    public var server: String
    /// PEM of the installation's CA.
    public var certificateAuthority: String
    public var token: String
    /// Nil: DHCP.
    public var network: SystemNetwork?

    public init(
        machine: String, hostname: String, cluster: String, release: String, server: String,
        certificateAuthority: String, token: String, network: SystemNetwork?
    ) {
        (self.machine, self.hostname, self.cluster, self.release) = (machine, hostname, cluster, release)
        (self.server, self.certificateAuthority, self.token) = (server, certificateAuthority, token)
        self.network = network
    }
}

/// How one operating system is installed: a driver, without I/O.
public protocol OperatingSystem: Sendable {
    /// The word in ``OSRelease/os``.
    static var name: String { get }
    /// What it runs on: `amd64`, `arm64`.
    var architectures: [String] { get }
    /// The files that make an installed image this machine.
    /// - Throws: ``ConfigurationError`` when a value cannot be written in this system's format.
    func configuration(for join: JoinConfiguration) throws(ConfigurationError) -> [ConfigurationFile]
    /// How the agent enters the installed system when kexec is allowed.
    var entry: SystemEntry { get }
}

/// A value that a system's configuration format cannot hold.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    public var field: String
    public var reason: String

    public init(field: String, reason: String) { (self.field, self.reason) = (field, reason) }

    public var description: String { "\(field): \(reason)" }
}

/// The operating systems that this Slipway can install.
public enum OperatingSystemCatalog {
    public static let all: [any OperatingSystem] = [ReferenceOS()]

    /// The driver for ``OSRelease/os``, nil when there is none.
    public static func driver(named name: String) -> (any OperatingSystem)? {
        all.first { type(of: $0).name == name }
    }
}
