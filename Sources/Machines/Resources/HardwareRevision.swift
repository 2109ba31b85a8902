import FoundationEssentials
import Inventory

/// A machine's hardware as it was reported from one change to the next.
public struct HardwareRevision: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "hardware-revision"

    /// Revisions kept of each machine.
    public static let capacity = 50

    public let id: String
    public let machine: String
    /// Counts from 1.
    public let number: Int
    /// When it was reported first.
    public let since: Date
    /// What is different from the revision before.
    public let changes: [HardwareChange]
    /// The newest report of it.
    public var report: HardwareReport

    public init(machine: String, number: Int, since: Date, changes: [HardwareChange], report: HardwareReport) {
        id = Self.id(machine, number)
        (self.machine, self.number, self.since) = (machine, number, since)
        (self.changes, self.report) = (changes, report)
    }

    public static func id(_ machine: String, _ number: Int) -> String { "\(machine).\(number)" }
}
