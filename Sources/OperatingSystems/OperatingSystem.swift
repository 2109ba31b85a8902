import Machines

/// How one operating system is installed: a driver. It reads no clock, no file and no network.
public protocol OperatingSystem: Sendable {
    /// The word in ``OSRelease/os``.
    var name: String { get }
    /// What it runs on: `amd64`, `arm64`.
    var architectures: [String] { get }
    /// How it can be installed, what is best first.
    var routes: [InstallRoute] { get }
    /// The files that a release has for a route.
    func artifacts(for route: InstallRoute) -> [ArtifactRole]
    /// Whether a cluster's and a machine's patches mean anything to it.
    func takesPatches(_ route: InstallRoute) -> Bool
    /// What a person should know before choosing it: what travels by a wire that anybody may read, what is not checked.
    func remarks(_ route: InstallRoute) -> [String]
    var support: SupportStatus { get }
    func evidence(_ route: InstallRoute) -> Evidence
    /// How the system, or its installer, comes to run once the agent is done.
    func entry(_ route: InstallRoute) -> RouteEntry
    /// What a machine gets.
    /// - Throws: ``ConfigurationError`` when a value cannot be said in this system's words.
    func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering
}

extension OperatingSystem {
    /// The route of a release that names none: the best of those that it has the files for, else the best of all.
    public func route(with artifacts: some Collection<ArtifactRole>) -> InstallRoute {
        let present = Set(artifacts)
        return routes.first { Set(self.artifacts(for: $0)).isSubset(of: present) } ?? routes.first ?? .image
    }
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
    public static let all: [any OperatingSystem] =
        [
            ReferenceOS(), Talos(), Flatcar(), FedoraCoreOS(), Bottlerocket(), Elemental(), Kairos(), Harvester(),
            MicroOS(), Photon(), Ubuntu(), Debian(),
        ] + ["centos-stream", "rhel", "fedora", "rocky", "almalinux"].map { RedHatFamily(name: $0) } + [
            K3OS(), RancherOS(), ContainerOptimizedOS(), GenericOS(),
        ]

    /// The driver for ``OSRelease/os``, nil when there is none.
    public static func driver(named name: String) -> (any OperatingSystem)? { all.first { $0.name == name } }
}
