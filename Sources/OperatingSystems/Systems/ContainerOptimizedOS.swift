import Machines

/// Google's Container-Optimized OS reads its configuration from Compute Engine's metadata server, and is published for nothing else.
/// https://cloud.google.com/container-optimized-os/docs
public struct ContainerOptimizedOS: OperatingSystem {
    public init() {}

    public var name: String { "container-optimized-os" }
    public var architectures: [String] { [] }
    public var routes: [InstallRoute] { [] }
    public var support: SupportStatus {
        .impossible(
            reason:
                "it is published for Compute Engine only, whose metadata server configures it; Flatcar, Talos and Fedora CoreOS come nearest"
        )
    }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [] }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        throw ConfigurationError(field: "os", reason: "\(name) is \(support.words)")
    }
}
