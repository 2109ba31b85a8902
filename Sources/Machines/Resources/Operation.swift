import FoundationEssentials
import NetworkAddresses

/// Work on one machine that a person or a claim asked for: what it takes the machine through, and how far it is. It survives the daemon.
public struct Operation: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "operation"

    public enum Verb: String, Codable, Sendable, CaseIterable {
        case provision, reprovision, wipe, release, rescue
    }

    public enum State: String, Codable, Sendable, CaseIterable {
        /// Waits for another person's word, or for its turn.
        case pending
        case running, succeeded, failed
        /// Somebody took it back before its end.
        case aborted

        public var isFinal: Bool { self != .pending && self != .running }
    }

    public let id: String
    public let verb: Verb
    /// Id of the machine.
    public let machine: String
    /// Name of the token that asked.
    public let requestedBy: String
    public let createdAt: Date
    /// What the machine is to become; nil: nothing is installed.
    public let assignment: Machine.Assignment?
    /// What is erased; nil: nothing is.
    public let wipe: WipeRequest?
    /// The disks that the person was shown: these are erased, and neither more nor fewer.
    public var targets: [DiskTarget]?
    /// All of it, in this order.
    public let steps: [Step]
    /// Of ``Step/rescue``: seconds that it lasts at most.
    public let rescueSeconds: Double?
    /// The phase that the machine was in when it began.
    public var formerPhase: Phase?
    public var state = State.pending
    /// Nil: nobody else has to say yes.
    public var approval: Approval?
    /// Who asked to stop it, at the next point where that leaves nothing half done.
    public var abortedBy: String?
    /// Steps that are behind it, with what they took; the next one of ``steps`` is under way.
    public var done: [StepRecord] = []
    /// When the present step began; nil: not yet.
    public var stepSince: Date?
    /// Orders issued in the present step that an agent began.
    public var attempts = 0
    /// Agents that were started in the present step: a machine that starts again and again gets nowhere.
    public var starts = 0
    /// Power commands given in the present step.
    public var powerCommands = 0
    /// Why the last power command was not given; nil: it was.
    public var powerFault: String?
    /// The newest failure of the present step that another attempt follows.
    public var setback: Setback?
    /// The order now with the agent.
    public var order: OrderTicket?
    /// The join token made for ``order``; a new order replaces it.
    public var joinToken: String?
    /// When the agent reported the order of the present step carried out.
    public var carriedOutAt: Date?
    /// What the newest order to erase left of each disk.
    public var disks: [DiskEvidence]?
    /// Id of the certificate of the wipe.
    public var certificate: String?
    /// When the agent reported the image written and verified, or the system's own installer that it was done.
    public var installedAt: Date?
    /// The system's own installer, which the agent left for in the present step.
    public var installer: InstallerRun?
    /// When the installed system told that it runs; nil: not every system does.
    public var firstBootAt: Date?
    /// When the installed system told that it joined its cluster.
    public var joinedAt: Date?
    /// Where the system that is being installed may tell of itself from, in plain text and unproved; nil: it is not listened to.
    public var eventSources: [IPAddress]?
    /// What it told last.
    public var systemWord: SystemWord?
    /// Hash of the ticket made for ``order``; a new order replaces it.
    public var ticket: String?
    public var error: String?
    public var finishedAt: Date?

    public init(
        id: String, verb: Verb, machine: String, requestedBy: String, steps: [Step],
        assignment: Machine.Assignment? = nil, wipe: WipeRequest? = nil, rescueSeconds: Double? = nil,
        approval: Approval? = nil, createdAt: Date
    ) {
        (self.id, self.verb, self.machine, self.requestedBy) = (id, verb, machine, requestedBy)
        (self.steps, self.assignment, self.wipe, self.rescueSeconds) = (steps, assignment, wipe, rescueSeconds)
        (self.approval, self.createdAt) = (approval, createdAt)
    }

    public var isFinished: Bool { state.isFinal }

    /// What is under way or comes next; nil: all is done.
    public var step: Step? { done.count < steps.count ? steps[done.count] : nil }

    /// It destroys data.
    public var isDestructive: Bool { steps.contains(.wipe) || steps.contains(.install) }

    public var waitsForApproval: Bool { approval.map { $0.approvedBy == nil } ?? false }
}

extension Operation {
    /// One stretch of the way. Each is a phase of the machine.
    public enum Step: String, Codable, Sendable, CaseIterable {
        /// The node leaves its cluster.
        case drain
        case wipe, install
        /// The installed system registers with its cluster.
        case join
        case rescue

        public var phase: Phase {
            switch self {
            case .drain: .draining
            case .wipe: .wiping
            case .install: .installing
            case .join: .joining
            case .rescue: .rescue
            }
        }

        /// Orders that an agent may begin in it.
        public var maximumAttempts: Int {
            switch self {
            case .install: 3
            case .wipe: 2
            case .drain, .join, .rescue: 1
            }
        }
    }

    public struct StepRecord: Codable, Equatable, Sendable {
        public var step: Step
        public var since: Date
        public var until: Date
        public var attempts: Int

        public init(_ step: Step, since: Date, until: Date, attempts: Int) {
            (self.step, self.since, self.until, self.attempts) = (step, since, until, attempts)
        }
    }

    /// A second person's word.
    public struct Approval: Codable, Equatable, Sendable {
        /// Name of another token than the one that asked; nil: nobody has.
        public var approvedBy: String?
        public var approvedAt: Date?

        /// Nobody's yet.
        public init() {}

        public init(by person: String, at now: Date) { (approvedBy, approvedAt) = (person, now) }
    }

    /// What went wrong and is tried again.
    public struct Setback: Codable, Equatable, Sendable {
        public var reason: String
        public var at: Date
        /// Not before this.
        public var again: Date

        public init(_ reason: String, at: Date, again: Date) {
            (self.reason, self.at, self.again) = (reason, at, again)
        }
    }

    /// An installer that is at work, as far as anybody knows.
    public struct InstallerRun: Codable, Equatable, Sendable {
        /// When the agent left for it.
        public var enteredAt: Date
        /// What there will be once it is done.
        public var installs: InstalledSystem
        /// When it said that it began; nil: not every installer can.
        public var startedAt: Date?
        /// The machine is to start it by itself, from the network.
        public var isFromNetwork: Bool?
        /// When its boot program fetched it then.
        public var fetchedAt: Date?

        public init(enteredAt: Date, installs: InstalledSystem) {
            (self.enteredAt, self.installs) = (enteredAt, installs)
        }
    }

    /// What a system told of itself without proof: for people to read, and to decide nothing.
    public struct SystemWord: Codable, Equatable, Sendable {
        public var text: String
        /// Somebody should look.
        public var isFault: Bool
        public var at: Date

        public init(_ text: String, isFault: Bool, at: Date) {
            (self.text, self.isFault, self.at) = (text, isFault, at)
        }
    }

    /// What the daemon remembers of an order; its secrets are not stored.
    public struct OrderTicket: Codable, Equatable, Sendable {
        public var id: String
        /// Session it went to.
        public var session: String
        public var issuedAt: Date
        public var expiresAt: Date
        /// What there will be once it is carried out.
        public var installs: InstalledSystem?
        /// It is to enter the system's own installer.
        public var runsInstaller: Bool?
        /// That installer says nothing: once it is entered the machine is its disk's.
        public var endsWhenEntered: Bool?
        /// Of an order to erase: each of its disks is told of in the end.
        public var wipes: WipePlan?

        public init(id: String, session: String, issuedAt: Date, expiresAt: Date) {
            (self.id, self.session, self.issuedAt, self.expiresAt) = (id, session, issuedAt, expiresAt)
        }
    }

    /// An order failed: it is tried again after a while, or that was the last time.
    /// - Returns: whether it is tried again.
    @discardableResult public mutating func fall(back reason: String, at now: Date) -> Bool {
        (order, installer) = (nil, nil)
        guard let step, attempts < step.maximumAttempts, abortedBy == nil else {
            let times = attempts > 1 ? " (after \(attempts) attempts)" : ""
            finish(.failed, reason + times, at: now)
            return false
        }
        // Five seconds, twenty, eighty.
        let rest = 5 * Double(1 << min(2 * max(0, attempts - 1), 8))
        setback = Setback(reason, at: now, again: now.addingTimeInterval(rest))
        return true
    }

    /// The present step ended well.
    public mutating func completeStep(at now: Date) {
        guard let step else { return }
        done.append(StepRecord(step, since: stepSince ?? now, until: now, attempts: attempts))
        (attempts, starts, powerCommands) = (0, 0, 0)
        (stepSince, setback, order, carriedOutAt, powerFault) = (nil, nil, nil, nil, nil)
        installer = nil
    }

    /// When the shell of a rescue ends at the latest; nil before it began.
    public var rescueEnd: Date? {
        let since = stepSince ?? done.last { $0.step == .rescue }?.since
        return since?.addingTimeInterval(rescueSeconds ?? 3600)
    }

    public mutating func finish(_ state: State, _ error: String?, at now: Date) {
        (self.state, self.error, finishedAt) = (state, error, now)
        order = nil
    }
}

extension Operation {
    /// Operations of daemons that knew only installs have no steps.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys) throws -> Value { try values.decode(Value.self, forKey: key) }
        func optional<Value: Decodable>(_ key: CodingKeys) throws -> Value? {
            try values.decodeIfPresent(Value.self, forKey: key)
        }
        self.init(
            id: try value(.id), verb: try value(.verb), machine: try value(.machine),
            requestedBy: try value(.requestedBy), steps: try optional(.steps) ?? [.install, .join],
            assignment: try optional(.assignment), wipe: try optional(.wipe),
            rescueSeconds: try optional(.rescueSeconds), approval: try optional(.approval),
            createdAt: try value(.createdAt))
        targets = try optional(.targets)
        (formerPhase, state) = (try optional(.formerPhase), try value(.state))
        abortedBy = try optional(.abortedBy)
        (installedAt, firstBootAt) = (try optional(.installedAt), try optional(.firstBootAt))
        joinedAt = try optional(.joinedAt)
        (eventSources, systemWord) = (try optional(.eventSources), try optional(.systemWord))
        (installer, ticket) = (try optional(.installer), try optional(.ticket))
        done =
            try optional(.done)
            ?? installedAt.map { [StepRecord(.install, since: createdAt, until: $0, attempts: 1)] } ?? []
        (stepSince, attempts) = (try optional(.stepSince), try optional(.attempts) ?? 0)
        (starts, powerCommands) = (try optional(.starts) ?? 0, try optional(.powerCommands) ?? 0)
        powerFault = try optional(.powerFault)
        (setback, order, joinToken) = (try optional(.setback), try optional(.order), try optional(.joinToken))
        (carriedOutAt, disks, certificate) = (
            try optional(.carriedOutAt), try optional(.disks), try optional(.certificate)
        )
        (error, finishedAt) = (try optional(.error), try optional(.finishedAt))
    }
}
