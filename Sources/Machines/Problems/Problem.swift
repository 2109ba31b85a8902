import FoundationEssentials

/// Something a person should look into: what, since when, and what to do.
public struct Problem: Codable, Equatable, Sendable {
    public enum Severity: String, Codable, Sendable, CaseIterable, Comparable {
        /// Something does not work, or data or secrets are in danger.
        case critical
        /// It will, or a machine waits for a person.
        case warning
        case info

        /// The worse one is less: it comes first.
        public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    public enum Kind: String, Codable, Sendable, CaseIterable {
        case deadlinePassed = "deadline-passed"
        case wipeFailed = "wipe-failed"
        case machineFailed = "machine-failed"
        case nodeNotReady = "node-not-ready"
        case bmcCertificate = "bmc-certificate"
        case identityQuestion = "identity-question"
        case certificateExpired = "certificate-expired"
        case imageMissing = "image-missing"
        case diskFailing = "disk-failing"
        case deadlineNear = "deadline-near"
        case hardwareChanged = "hardware-changed"
        case hardwareProblem = "hardware-problem"
        case bmcUnreachable = "bmc-unreachable"
        case sessionUntrusted = "session-untrusted"
        case systemComplains = "system-complains"
        case bootsUnexpectedly = "boots-unexpectedly"
        case unexpectedMachine = "unexpected-machine"
        case notAsAnnounced = "not-as-announced"
        case certificateExpiring = "certificate-expiring"
        case approvalWaits = "approval-waits"
        case acceptanceWaits = "acceptance-waits"

        public var severity: Severity {
            switch self {
            case .deadlinePassed, .wipeFailed, .machineFailed, .nodeNotReady, .bmcCertificate, .identityQuestion,
                .certificateExpired:
                .critical
            case .imageMissing, .diskFailing, .deadlineNear, .hardwareChanged, .hardwareProblem, .bmcUnreachable,
                .sessionUntrusted, .systemComplains, .bootsUnexpectedly, .unexpectedMachine, .notAsAnnounced,
                .certificateExpiring:
                .warning
            case .approvalWaits, .acceptanceWaits: .info
            }
        }

        /// What it means, for the table of docs/problems.md.
        public var meaning: String {
            switch self {
            case .deadlinePassed: "the machine is longer in its phase than its deadline allows, and nothing ended it"
            case .wipeFailed: "a disk was not erased, or nobody can say that it was"
            case .machineFailed: "the lifecycle stopped; the reason is told"
            case .nodeNotReady: "the heartbeats of a ready machine's node stopped"
            case .bmcCertificate:
                "the BMC shows another certificate than the one that is believed: somebody may be in between"
            case .identityQuestion: "a machine looks like one that is known, and not quite"
            case .certificateExpired: "a certificate has expired"
            case .imageMissing: "a release is in use, and the library does not hold its files"
            case .diskFailing: "a disk says itself that it will fail"
            case .deadlineNear: "four fifths of the phase's deadline are over"
            case .hardwareChanged: "a machine that has its system shows other hardware"
            case .hardwareProblem: "something about the hardware keeps the machine from being used"
            case .bmcUnreachable: "the BMC does not answer, or refuses the login"
            case .sessionUntrusted: "work waits, and the agent's session may not carry secrets"
            case .systemComplains: "the system that is being installed says that something keeps it from its end"
            case .bootsUnexpectedly: "the agent runs on a ready machine, for longer than a start of its system takes"
            case .unexpectedMachine: "machines are announced here, and this one was not"
            case .notAsAnnounced: "a machine differs from its announcement"
            case .certificateExpiring: "a certificate expires within 30 days"
            case .approvalWaits: "an operation waits for a second person"
            case .acceptanceWaits: "nobody has accepted or rejected the machine for a day"
            }
        }
    }

    public var kind: Kind
    public var severity: Severity
    /// Id and name of the machine; nil: it is the installation's.
    public var machine: String?
    public var machineName: String?
    /// What it is about where a machine can have several: a disk's serial, a release, a certificate.
    public var subject: String?
    /// The same as long as it goes on, also after a restart of the daemon.
    public var since: Date
    /// What was seen.
    public var seen: String
    /// What to do.
    public var attempt: String

    init(_ sighting: ProblemSighting, since: Date) {
        (kind, severity, self.since) = (sighting.kind, sighting.kind.severity, since)
        (machine, machineName, subject) = (sighting.machine, sighting.machineName, sighting.subject)
        (seen, attempt) = (sighting.seen, sighting.attempt)
    }
}

/// A problem as it is seen now.
public struct ProblemSighting: Equatable, Sendable {
    public var kind: Problem.Kind
    public var machine: String?
    public var machineName: String?
    public var subject: String?
    /// Nil: nothing says since when; then it is since it was seen first.
    public var since: Date?
    public var seen: String
    public var attempt: String

    init(
        _ kind: Problem.Kind, of machine: Machine?, subject: String? = nil, since: Date?, _ seen: String,
        attempt: String
    ) {
        (self.kind, self.machine, self.machineName) = (kind, machine?.id, machine?.name)
        (self.subject, self.since, self.seen, self.attempt) = (subject, since, seen, attempt)
    }

    /// Tells it from all others.
    public var id: String { [kind.rawValue, machine ?? "", subject ?? ""].joined(separator: "/") }
}

/// When problems were seen first of which nothing else tells since when.
public struct ProblemMemory: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "problem-memory"
    public static let id = "first-seen"

    public var id: String { Self.id }
    /// By ``ProblemSighting/id``. What is seen no more is forgotten.
    public private(set) var firstSeen: [String: Date] = [:]

    public init() {}

    /// The problems, each with the time since when, the worst and then the oldest first.
    public mutating func recall(_ sightings: [ProblemSighting], now: Date) -> [Problem] {
        let former = firstSeen
        firstSeen = [:]
        return sightings.map { sighting in
            if let since = sighting.since { return Problem(sighting, since: since) }
            let since = former[sighting.id] ?? now
            firstSeen[sighting.id] = since
            return Problem(sighting, since: since)
        }.sorted {
            ($0.severity, $0.since, $0.machineName ?? "", $0.kind.rawValue, $0.subject ?? "")
                < ($1.severity, $1.since, $1.machineName ?? "", $1.kind.rawValue, $1.subject ?? "")
        }
    }
}
