import FoundationEssentials
import Inventory
import Machines

/// `POST /api/v1/expected-machines` → 200 ``AnnounceAnswer``: announces machines, all or none. The same again changes nothing.
public struct AnnounceRequest: Codable, Sendable {
    /// One machine. Passwords go into the secret store and are never answered back.
    public struct Item: Codable, Sendable {
        public var machine: MachineAnnouncement
        /// Of the BMC; absent: the one that is kept of an earlier announcement.
        public var bmcPassword: String?

        public init(_ machine: MachineAnnouncement, bmcPassword: String? = nil) {
            (self.machine, self.bmcPassword) = (machine, bmcPassword)
        }

        private enum CodingKeys: CodingKey { case bmcPassword }

        /// The password stands beside the announcement's own fields.
        public init(from decoder: any Decoder) throws {
            machine = try MachineAnnouncement(from: decoder)
            bmcPassword = try decoder.container(keyedBy: CodingKeys.self).decodeIfPresent(
                String.self, forKey: .bmcPassword)
        }

        public func encode(to encoder: any Encoder) throws {
            try machine.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(bmcPassword, forKey: .bmcPassword)
        }
    }

    public var items: [Item]
    /// Only say what would become of it.
    public var dryRun: Bool?

    public init(items: [Item], dryRun: Bool? = nil) { (self.items, self.dryRun) = (items, dryRun) }
}

/// Names.
public struct AnnounceAnswer: Codable, Sendable {
    public var created: [String]
    public var changed: [String]
    public var unchanged: [String]

    public init(created: [String], changed: [String], unchanged: [String]) {
        (self.created, self.changed, self.unchanged) = (created, changed, unchanged)
    }
}

/// An announced machine and what became of it.
public struct ExpectedMachineView: Codable, Sendable {
    public var state: ExpectedMachine.State
    public var announced: MachineAnnouncement
    public var announcedBy: String
    public var createdAt: Date
    public var updatedAt: Date
    /// Id and name of the machine that it is.
    public var machine: String?
    public var machineName: String?
    public var matchedAt: Date?
    public var mismatches: [ExpectationMismatch]
    /// A password of its BMC is kept.
    public var hasBMCPassword: Bool

    public init(_ expected: ExpectedMachine, machineName: String?) {
        (state, announced, announcedBy) = (expected.state, expected.announced, expected.announcedBy)
        (createdAt, updatedAt) = (expected.createdAt, expected.updatedAt)
        (machine, self.machineName) = (expected.observed.machine, machineName)
        (matchedAt, mismatches) = (expected.observed.matchedAt, expected.observed.mismatches)
        hasBMCPassword = expected.passwordSecret != nil
    }
}

/// A machine that arrived, and is none that was announced.
public struct UnexpectedMachineView: Codable, Sendable {
    /// Id of the machine.
    public var machine: String
    public var name: String
    public var serial: String?
    public var switchPorts: [SwitchPort]
    public var location: Location?
    public var createdAt: Date
    /// Why it is none of those that it looks like; absent: no announcement is about it.
    public var reason: String?

    public init(_ machine: Machine) {
        (self.machine, name) = (machine.id, machine.name)
        (serial, createdAt) = (machine.observed.hardware?.system.serial, machine.createdAt)
        (location, switchPorts) = (machine.desired.location, machine.observed.hardware?.switchPorts ?? [])
        reason = machine.condition(.expected).flatMap { $0.status ? nil : $0.reason }
    }
}

/// `GET /api/v1/expected-machines`
public struct ExpectedMachinesView: Codable, Sendable {
    public var items: [ExpectedMachineView]
    public var unexpected: [UnexpectedMachineView]
    public var revision: Int64

    public init(items: [ExpectedMachineView], unexpected: [UnexpectedMachineView], revision: Int64) {
        (self.items, self.unexpected, self.revision) = (items, unexpected, revision)
    }
}
