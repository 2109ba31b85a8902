import FoundationEssentials
import Inventory

/// A machine that staff announced before it arrived, and what became of it.
public struct ExpectedMachine: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "expected-machine"

    public var announced: MachineAnnouncement
    /// Its name.
    public var id: String { announced.name }
    /// Id of the ``Secret`` that holds the BMC's password; nil: none was told.
    public var passwordSecret: String?
    /// Name of the token that announced it, or changed it last.
    public var announcedBy: String
    public let createdAt: Date
    /// When what is announced changed last.
    public var updatedAt: Date
    /// When what is announced of its BMC changed last.
    public var bmcChangedAt: Date
    public var observed = Observed()

    public init(_ announced: MachineAnnouncement, passwordSecret: String?, by actor: String, at now: Date) {
        (self.announced, self.passwordSecret, announcedBy) = (announced, passwordSecret, actor)
        (createdAt, updatedAt, bmcChangedAt) = (now, now, now)
    }

    public struct Observed: Codable, Equatable, Sendable {
        /// Id of the machine that it is.
        public var machine: String?
        public var matchedAt: Date?
        /// What is not as announced, or why no machine is it.
        public var mismatches: [ExpectationMismatch] = []

        public init() {}
    }

    public enum State: String, Codable, Sendable, CaseIterable {
        /// Announced, and not seen.
        case missing
        /// It is there, and as announced.
        case arrived
        /// Something is there that is not as announced: a person looks.
        case mismatched
    }

    public var state: State {
        if !observed.mismatches.isEmpty { return .mismatched }
        return observed.machine == nil ? .missing : .arrived
    }

    public static func secretID(_ name: String) -> String { "expected-" + name }

    /// What does on its behalf what a person would, for the trail.
    public var actor: String { "expected machine \(id) announced by \(announcedBy)" }
}

/// One difference between what was announced and what was found.
public struct ExpectationMismatch: Codable, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: String, Codable, Sendable {
        /// Several machines or several announcements fit: nobody is matched.
        case ambiguous
        case serial, macs, bmc, profile, switchPort, location, name

        /// It may be another machine: nothing of what was announced is taken over.
        var isOfIdentity: Bool { [.ambiguous, .serial, .macs, .bmc].contains(self) }
    }

    public var kind: Kind
    /// In words.
    public var announced: String
    public var found: String

    public init(_ kind: Kind, announced: String, found: String) {
        (self.kind, self.announced, self.found) = (kind, announced, found)
    }

    public var description: String {
        let subject =
            switch kind {
            case .ambiguous: ""
            case .serial: "serial: "
            case .macs: "MAC: "
            case .bmc: "BMC: "
            case .profile: "profile: "
            case .switchPort: "switch port: "
            case .location: "location: "
            case .name: "name: "
            }
        return kind == .ambiguous ? found : "\(subject)announced \(announced), found \(found)"
    }
}

extension Machine {
    /// The announcement that a machine was matched with.
    public struct Expected: Codable, Equatable, Sendable {
        /// Of the ``ExpectedMachine``.
        public var name: String
        public var since: Date
        /// The announcement's `updatedAt` when it was taken over; nil: it was not.
        public var appliedAt: Date?
        /// The name was another machine's then.
        public var lacksName: Bool?
        /// The announcement's `bmcChangedAt` when its BMC was taken over, and the BMC's address.
        public var bmcAppliedAt: Date?
        public var bmcAddress: String?

        public init(name: String, since: Date) { (self.name, self.since) = (name, since) }
    }
}
