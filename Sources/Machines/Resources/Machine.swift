import FoundationEssentials
import Inventory
import NetworkAddresses

/// One physical server.
public struct Machine: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "machine"

    public let id: String
    /// Unique among machines; an RFC 1123 label, since it becomes the host name unless ``Desired/hostname`` is set.
    public var name: String
    /// Those that people gave it. See ``effectiveLabels``.
    public var labels: [String: String] = [:]
    public let createdAt: Date
    public var updatedAt: Date
    /// Counts changes of the desired part; a person's ETag.
    public var generation: Int64 = 1
    public var desired: Desired
    @Boxed public var observed: Observed

    public init(id: String, name: String, desired: Desired = Desired(), observed: Observed, createdAt: Date) {
        (self.id, self.name, self.desired, self.observed) = (id, name, desired, observed)
        (self.createdAt, self.updatedAt) = (createdAt, createdAt)
    }

    /// What people ask for.
    public struct Desired: Codable, Equatable, Sendable {
        /// A person has given leave to change this machine.
        public var accepted = false
        /// No destructive order is issued while this is set.
        public var protected = false
        public var hostname: String?
        public var location: Location?
        /// How the installed system reaches its networks; nil: DHCP, by the port that it boots from.
        public var network: MachineNetwork?
        public var bmc: BMCEndpoint?
        public var assignment: Assignment?
        /// Changes of its system's own configuration, after those of its cluster. Sealed: passwords may be in it.
        public var patch: Secret?

        public init() {}
    }

    /// What was last seen, written by the controllers only.
    public struct Observed: Codable, Equatable, Sendable {
        public var phase: Phase
        public var phaseSince: Date
        /// Why it failed; nil in every other phase.
        public var failure: Failure?
        public var conditions: [Condition] = []
        /// Every MAC it was seen with: the one it boots from, and those of its hardware report.
        public var macs: [MACAddress] = []
        public var hardware: HardwareReport?
        public var hardwareReportedAt: Date?
        /// Number of the newest ``HardwareRevision``; nil before the first report.
        public var hardwareRevision: Int?
        /// It looks like a machine that is known, and not quite: a person decides. Until then nothing is done to it.
        public var question: IdentityQuestion?
        /// The announcement that it was matched with.
        public var expected: Expected?
        /// Where relays say that it is plugged in, one for each NIC that asked through one.
        public var relayPorts: [RelayPort]?
        /// The newest session of its agent.
        public var session: String?
        /// Name of the matched hardware profile.
        public var profile: String?
        /// Labels that its hardware profile gives it; nil: none.
        public var profileLabels: [String: String]?
        public var power: PowerState = .unknown
        /// What was found at the BMC's address.
        public var bmc: BMCStatus?
        /// The agent is making a user of ours in it, or could not.
        public var bmcSetUp: BMCSetUp?
        /// Last power command of ours; a boot that begins soon after it is trusted with secrets.
        public var powerCommandAt: Date?
        /// When a system that had left its cluster called, minutes after a power command that was to bring the agent.
        public var formerSystemAt: Date?
        /// Name of the node it is.
        public var node: String?
        /// Where it goes back to after maintenance.
        public var formerPhase: Phase?
        /// Name of the installed OS release.
        public var installedRelease: String?
        /// Where it is; nil before an install and while one is under way.
        public var installed: InstalledSystem?
        /// Volume id of the installed system's EFI system partition; nil on BIOS, or before an install.
        public var bootVolume: String?
        /// When its agent left to start the installed system by kexec; nil: it is not known to be on that way.
        public var kexecAt: Date?
        /// A kexec on this machine gave no sign of life: enter systems through firmware from now on.
        public var kexecFailed = false
        /// The operation that runs or ran last.
        public var operation: String?

        /// The old system was heard since the last power command: that did not bring the agent.
        var isInFormerSystem: Bool {
            formerSystemAt.map { $0 > powerCommandAt ?? .distantFuture } ?? false
        }

        public init(phase: Phase, phaseSince: Date) { (self.phase, self.phaseSince) = (phase, phaseSince) }
    }

    /// What the machine is to be.
    public struct Assignment: Codable, Equatable, Sendable {
        /// Name of the cluster.
        public var cluster: String
        /// Name of the OS release.
        public var release: String
        /// Overrides the profile's hint.
        public var rootDisk: RootDiskHint?
        /// A person said that data on the root disk may be overwritten.
        public var eraseExistingData: Bool
        /// Nil: a worker.
        public var role: NodeRole?

        public init(
            cluster: String, release: String, rootDisk: RootDiskHint? = nil, eraseExistingData: Bool = false,
            role: NodeRole? = nil
        ) {
            (self.cluster, self.release, self.rootDisk) = (cluster, release, rootDisk)
            (self.eraseExistingData, self.role) = (eraseExistingData, role)
        }
    }

    /// What a node does for its cluster.
    public enum NodeRole: String, Codable, Sendable, CaseIterable {
        case worker
        /// The cluster stands on it: nobody asks for its disks by the dozen.
        case controlPlane = "control-plane"
    }

    /// Whether this is another machine, or one that is known with a part replaced.
    public struct IdentityQuestion: Codable, Equatable, Sendable {
        /// Id of the machine that it looks like.
        public var resembles: String
        public var comparison: IdentityComparison

        public init(resembles: String, comparison: IdentityComparison) {
            (self.resembles, self.comparison) = (resembles, comparison)
        }
    }

    /// A stop with its reason.
    public struct Failure: Codable, Equatable, Sendable {
        public var phase: Phase
        /// What was tried, what came back, what to do.
        public var reason: String
        public var at: Date
        /// Id of the operation that failed with it, which holds the attempts and the evidence.
        public var operation: String?
        /// The verb that a person would try next.
        public var next: MachineVerb?

        public init(
            phase: Phase, reason: String, at: Date, operation: String? = nil, next: MachineVerb? = nil
        ) {
            (self.phase, self.reason, self.at, self.operation, self.next) = (phase, reason, at, operation, next)
        }

        /// What a person would ask for once the cause is mended.
        public static func remedy(of phase: Phase, _ operation: Operation?) -> MachineVerb? {
            switch operation?.state {
            case .failed: operation?.verb == .rescue ? .rescue : .retry
            case .aborted: phase == .draining ? .reprovision : .wipe
            case .pending, .running, .succeeded, nil: nil
            }
        }
    }
}

extension Machine {
    /// The installed system's host name.
    public var hostname: String { desired.hostname ?? name }

    /// Its labels: of a key that both gave, a person's word counts before the profile's.
    public var effectiveLabels: [String: String] {
        labels.merging(observed.profileLabels ?? [:]) { person, _ in person }
    }

    /// What is known of it that others are compared with; before its first report the NIC that it was seen with.
    public var identity: MachineIdentity { observed.hardware?.identity ?? MachineIdentity(macs: observed.macs) }

    /// Sets a condition; its time moves only when its status does.
    public mutating func set(_ type: Condition.Kind, _ status: Bool, _ reason: String, at now: Date) {
        let old = observed.conditions.first { $0.type == type }
        observed.conditions.removeAll { $0.type == type }
        observed.conditions.append(
            Condition(
                type: type, status: status, reason: reason, since: old?.status == status ? old?.since ?? now : now))
        observed.conditions.sort { $0.type.rawValue < $1.type.rawValue }
    }

    /// Nothing is to be said of it any more.
    public mutating func clear(_ type: Condition.Kind) { observed.conditions.removeAll { $0.type == type } }

    public func condition(_ type: Condition.Kind) -> Condition? { observed.conditions.first { $0.type == type } }
}

/// Something true or false of a machine, since when and why.
public struct Condition: Codable, Equatable, Sendable {
    public enum Kind: String, Codable, Sendable {
        /// No local disk holds data.
        case disksBlank = "DisksBlank"
        /// The agent's session is live.
        case agentConnected = "AgentConnected"
        /// The agent's session may carry secrets.
        case sessionTrusted = "SessionTrusted"
        /// The BMC answers.
        case bmcReachable = "BMCReachable"
        /// The BMC's certificate is the one that is believed. Said only while it is not.
        case bmcTrusted = "BMCTrusted"
        /// One hardware profile is the machine's.
        case profileMatched = "ProfileMatched"
        /// The node's heartbeats arrive.
        case nodeReady = "NodeReady"
        /// The machine has its system, and its hardware is not what it was; nobody has said yet that this is right.
        case hardwareChanged = "HardwareChanged"
        /// It was announced, and all is as announced.
        case expected = "Expected"
    }

    public var type: Kind
    public var status: Bool
    public var reason: String
    public var since: Date
}
