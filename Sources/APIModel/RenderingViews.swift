import FoundationEssentials
import Inventory
import Machines

/// `GET /api/v1/machines/{machine}/rendering`: all that a machine would get by an installation, and nothing is done.
/// `?release=`, `?cluster=`, `?role=` and `?disk=` ask about another one than its own; `?secrets=true` shows what is sealed, to administrators.
/// `?installed=true`: what its newest installation gave it.
/// What is made anew for each attempt is `JOIN-TOKEN` and `TICKET`.
public struct RenderingView: Codable, Sendable {
    public var machine: String
    public var cluster: String
    public var release: String
    public var role: Machine.NodeRole
    public var route: InstallRoute
    /// The disk, in words.
    public var disk: String
    /// How the system or its installer is entered.
    public var entry: String
    /// Of an installer's kernel.
    public var kernelArguments: String?
    public var files: [RenderedFile]
    /// Of all of this with what is sealed: that of an installation which was given the same is equal.
    public var digest: String
    /// What it was installed with was this; absent: it was not installed yet.
    public var isInstalled: Bool?
    /// What is sealed was replaced.
    public var redacted: Bool

    public init(
        machine: String, assignment: Machine.Assignment, route: InstallRoute, disk: String, entry: String,
        kernelArguments: String?, files: [RenderedFile], digest: String, isInstalled: Bool?, redacted: Bool
    ) {
        (self.machine, cluster, release) = (machine, assignment.cluster, assignment.release)
        (role, self.route, self.disk) = (assignment.role ?? .worker, route, disk)
        (self.entry, self.kernelArguments, self.files) = (entry, kernelArguments, files)
        (self.digest, self.isInstalled, self.redacted) = (digest, isInstalled, redacted)
    }

    public init(_ installed: InstalledRendering, machine: String) {
        self.init(
            machine: machine, assignment: installed.assignment, route: installed.route, disk: installed.disk,
            entry: installed.entry, kernelArguments: installed.kernelArguments, files: installed.files,
            digest: installed.digest, isInstalled: true, redacted: true)
    }
}

/// An installation of a machine. `GET /api/v1/machines/{machine}/installations` lists them, the newest last.
public struct InstallationView: Codable, Sendable {
    public var operation: String
    public var cluster: String
    public var release: String
    public var role: Machine.NodeRole
    public var disk: DiskTarget
    public var artifacts: [ArtifactRole: String]
    public var profile: String?
    public var digest: String
    public var at: Date
    /// When it was a node with it; absent: not yet, or never.
    public var readyAt: Date?
    /// `slipway machine rollback` goes here.
    public var isGoal: Bool

    public init(_ record: InstallationRecord, isGoal: Bool) {
        operation = record.operation
        (cluster, release) = (record.assignment.cluster, record.assignment.release)
        (role, disk) = (record.assignment.role ?? .worker, record.disk)
        (artifacts, profile, digest) = (record.artifacts, record.profile, record.digest)
        (at, readyAt, self.isGoal) = (record.at, record.readyAt, isGoal)
    }
}
