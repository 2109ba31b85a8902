import FoundationEssentials

/// One installation of a machine: what it was given, and whether it became a node with it.
public struct InstallationRecord: Codable, Equatable, Sendable {
    /// Id of the operation. Its attempts are one record.
    public var operation: String
    public var assignment: Machine.Assignment
    /// What people asked of its system; nil: nothing.
    public var hostname: String?
    public var network: MachineNetwork?
    public var patch: Secret?
    public var disk: DiskTarget
    /// SHA-256 of each file of the release.
    public var artifacts: [ArtifactRole: String]
    /// Name of its hardware profile.
    public var profile: String?
    /// Of all that it was given, but for what is made anew for each attempt: equal where that was equal. Keyed, so that nobody guesses what is in it.
    public var digest: String
    public var at: Date
    /// When it was a node with it; nil: not yet, or never.
    public var readyAt: Date?

    public init(
        operation: String, assignment: Machine.Assignment, desired: Machine.Desired, disk: DiskTarget,
        release: OSRelease, profile: String?, digest: String, at: Date
    ) {
        (self.operation, self.assignment) = (operation, assignment)
        (hostname, network, patch) = (desired.hostname, desired.network, desired.patch)
        (self.disk, artifacts) = (disk, release.artifacts.mapValues(\.sha256))
        (self.profile, self.digest, self.at) = (profile, digest, at)
    }
}

/// What was installed on a machine.
public struct InstallationHistory: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "installation-history"

    /// Records kept of each machine; of more the oldest goes that is not the last good one.
    public static let capacity = 20

    /// The machine's.
    public let id: String
    /// The newest last.
    public private(set) var records: [InstallationRecord] = []

    public init(machine: String) { id = machine }

    /// An order with it leaves.
    public mutating func note(_ record: InstallationRecord) {
        records.removeAll { $0.operation == record.operation }
        records.append(record)
        guard records.count > Self.capacity else { return }
        let kept = lastGood
        if let index = records.firstIndex(where: { $0 != kept }) { records.remove(at: index) }
    }

    public mutating func succeed(_ operation: String, at now: Date) {
        guard let index = records.lastIndex(where: { $0.operation == operation }) else { return }
        records[index].readyAt = now
    }

    /// What to go back to: the newest that became a node and is another than the newest of all, be that one good or not. Nil: there is none.
    public var lastGood: InstallationRecord? {
        guard let newest = records.last else { return nil }
        return records.last { $0.readyAt != nil && $0.digest != newest.digest }
    }
}
