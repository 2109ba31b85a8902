import Inventory
import Machines

/// Something that a file says there is to be. See docs/apply.md.
public struct DeclaredResource: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case cluster = "Cluster"
        case release = "OSRelease"
        case machine = "Machine"
        case profile = "HardwareProfile"
    }

    public enum Content: Sendable {
        case cluster(Cluster.Flavor)
        case release(DeclaredRelease)
        case machine(DeclaredMachine)
        /// With its text, as a file of `hardware-profiles` has it.
        case profile(HardwareProfile, text: String)
    }

    public var name: String
    public var content: Content
    public var file: String
    /// Where its document begins, counted from 1.
    public var line: Int?

    public var kind: Kind {
        switch content {
        case .cluster: .cluster
        case .release: .release
        case .machine: .machine
        case .profile: .profile
        }
    }

    /// For faults that show only beside what the daemon has.
    public func fault(_ message: String) -> ProfileFileError {
        ProfileFileError(file: file, line: line, column: line.map { _ in 1 }, message: message)
    }
}

/// What is known of a release, whose files the daemon's library has.
public struct DeclaredRelease: Equatable, Sendable {
    public var os: String
    public var version: String
    public var architecture: String
    /// Nil: the best one that there are files for.
    public var route: InstallRoute?
    public var artifacts: [ArtifactRole: Artifact]
    public var parameters: [String: String]
    public var minimumDiskBytes: Int64
}

/// What people say of a machine. What is nil is left as it is.
public struct DeclaredMachine: Equatable, Sendable {
    public var location: Location?
    /// By name; nil takes a label away.
    public var labels: [String: String?]
}
