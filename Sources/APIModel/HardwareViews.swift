import FoundationEssentials
import Inventory
import Machines

/// `GET /api/v1/machines/{id}/hardware-revisions`: one of the list, without its report.
public struct HardwareRevisionView: Codable, Sendable {
    public var number: Int
    /// When it was reported first.
    public var since: Date
    /// What is different from the one before it.
    public var changes: [HardwareChange]

    public init(_ revision: HardwareRevision) {
        (number, since, changes) = (revision.number, revision.since, revision.changes)
    }
}

/// `GET /api/v1/machines/{id}/hardware-changes?since=R`
public struct HardwareChangesView: Codable, Sendable {
    /// Absent when there is one revision only.
    public var from: HardwareRevisionView?
    public var to: HardwareRevisionView
    public var changes: [HardwareChange]

    public init(from: HardwareRevisionView?, to: HardwareRevisionView, changes: [HardwareChange]) {
        (self.from, self.to, self.changes) = (from, to, changes)
    }
}
