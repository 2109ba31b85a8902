import FoundationEssentials
import Inventory

/// Decides what is wrong. Reads no clock and talks to nothing: the same facts give the same problems.
public enum ProblemRules {
    /// Of a phase's deadline: from here on it is near.
    static let nearDeadline = 0.8
    /// Seconds before its end in which a certificate is to be renewed.
    static let expiryWarning: Double = 30 * 86400
    /// Seconds that a discovered machine may wait for a person.
    static let acceptancePatience: Double = 86400
    /// Seconds in which an agent on a ready machine starts the installed system, where that is its way to the disk.
    static let agentPatience: Double = 5 * 60

    public static func examine(_ facts: ProblemFacts) -> [ProblemSighting] {
        facts.machines.flatMap { examine($0, facts) } + examineInstallation(facts)
    }

    /// What is wrong with one machine. Of the others nothing is looked at but a name.
    public static func examine(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        isOurs(machine) ? machineRules.flatMap { rule in rule(machine, facts) } : []
    }

    /// What is wrong with more than one machine. Of machines their hardware is not looked at.
    public static func examineInstallation(_ facts: ProblemFacts) -> [ProblemSighting] {
        let machines = facts.machines.filter(isOurs)
        return images(facts, machines) + certificates(facts) + approvals(facts, machines)
    }

    /// Nobody wants to hear of machines that were turned away.
    private static func isOurs(_ machine: Machine) -> Bool {
        !machine.observed.phase.isTurnedAway
    }

    private typealias Rule = @Sendable (Machine, ProblemFacts) -> [ProblemSighting]

    private static let machineRules: [Rule] = [
        deadline, failure, node, hardware, bmc, identity, waiting, complaint, unexpected, agent, bmcCertificate,
    ]

    // MARK: Lifecycle

    @Sendable private static func deadline(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard let limit = facts.deadline(machine) else { return [] }
        let (phase, since) = (machine.observed.phase, machine.observed.phaseSince)
        let (near, end) = (since.addingTimeInterval(nearDeadline * limit), since.addingTimeInterval(limit))
        let look = "see how far it is: slipway machine show \(machine.name); slipway machine boot-trace \(machine.name)"
        if facts.now >= end {
            return [
                ProblemSighting(
                    .deadlinePassed, of: machine, since: end,
                    "\(phase.rawValue) should have ended after \(Int(limit / 60)) minutes, and its lifecycle did not end it",
                    attempt: "\(look); look into the log of slipwayd")
            ]
        }
        guard facts.now >= near else { return [] }
        return [
            ProblemSighting(
                .deadlineNear, of: machine, since: near,
                "\(phase.rawValue) ends as failed at \(RFC3339.format(end))", attempt: look)
        ]
    }

    @Sendable private static func failure(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard machine.observed.phase == .failed else { return [] }
        let failure =
            machine.observed.failure
            ?? .init(phase: .failed, reason: "the reason is not known", at: machine.observed.phaseSince)
        guard failure.phase == .wiping else {
            return [
                ProblemSighting(
                    .machineFailed, of: machine, since: failure.at, "\(failure.phase.rawValue): \(failure.reason)",
                    attempt: "slipway machine history \(machine.name) tells how it came; then ask again")
            ]
        }
        return [
            ProblemSighting(
                .wipeFailed, of: machine, since: failure.at, failure.reason,
                attempt: "its disks are not clean: take out the named one and destroy it, or wipe again")
        ]
    }

    @Sendable private static func node(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard machine.observed.phase == .ready, let condition = machine.condition(.nodeReady), !condition.status
        else { return [] }
        return [
            ProblemSighting(
                .nodeNotReady, of: machine, subject: machine.observed.node, since: condition.since,
                "node \(machine.observed.node ?? machine.hostname): \(condition.reason)",
                attempt:
                    "look at its console: slipway machine console \(machine.name); is it on: slipway machine power status \(machine.name)"
            )
        ]
    }

    /// Work waits for a session that may carry secrets.
    @Sendable private static func waiting(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard [.installing, .wiping].contains(machine.observed.phase),
            let operation = facts.operations[machine.id], !operation.isFinished,
            let session = facts.sessions[machine.id], session.live, !session.trusted
        else { return [] }
        return [
            ProblemSighting(
                .sessionUntrusted, of: machine, since: max(session.openedAt, operation.createdAt),
                "\(operation.verb.rawValue) (\(operation.id)) waits: no power command of ours preceded the boot of its agent",
                attempt:
                    "make sure that it is this machine and ask for the same again, which confirms it; or power-cycle it"
            )
        ]
    }

    /// Nobody proves that it is the machine who says so.
    @Sendable private static func complaint(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard [.installing, .joining].contains(machine.observed.phase),
            let operation = facts.operations[machine.id], !operation.isFinished, let word = operation.systemWord,
            word.isFault
        else { return [] }
        return [
            ProblemSighting(
                .systemComplains, of: machine, since: word.at, word.text,
                attempt: "look at its console: slipway machine console \(machine.name)")
        ]
    }

    // MARK: Hardware

    @Sendable private static func hardware(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        var found: [ProblemSighting] = []
        if let condition = machine.condition(.hardwareChanged), condition.status {
            found.append(
                ProblemSighting(
                    .hardwareChanged, of: machine, since: condition.since, condition.reason,
                    attempt:
                        "slipway machine diff \(machine.name); if it is right: slipway machine confirm \(machine.name)")
            )
        }
        return found
            + (machine.observed.hardware?.problems ?? []).map { problem in
                ProblemSighting(
                    problem.failingDisk == nil ? .hardwareProblem : .diskFailing, of: machine,
                    subject: problem.failingDisk ?? problem.seen, since: nil, problem.seen, attempt: problem.attempt)
            }
    }

    @Sendable private static func bmc(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard machine.desired.bmc != nil else { return [] }
        if let condition = machine.condition(.bmcTrusted), !condition.status {
            return [
                ProblemSighting(
                    .bmcCertificate, of: machine, since: condition.since, condition.reason,
                    attempt:
                        "find out who changed it; if it was you: slipway machine bmc trust \(machine.name)")
            ]
        }
        guard let condition = machine.condition(.bmcReachable), !condition.status else { return [] }
        return [
            ProblemSighting(
                .bmcUnreachable, of: machine, since: condition.since, condition.reason,
                attempt: "ping it, look at its cable and its user; slipway machine bmc show \(machine.name)")
        ]
    }

    /// Only where its dates are looked at: one that is believed for its own sake may be as old as it likes.
    @Sendable private static func bmcCertificate(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard machine.desired.bmc != nil, let bmc = machine.observed.bmc, let certificate = bmc.certificate,
            certificate.isAuthorized, bmc.pinnedAt == nil
        else { return [] }
        return expiry(
            of: "the BMC's certificate (\(certificate.subject))", certificate.notAfter, of: machine,
            renewal: "give the BMC a new certificate, signed by an authority of bmc_authorities", facts)
    }

    // MARK: Identity

    @Sendable private static func identity(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard let question = machine.observed.question else { return [] }
        let other = facts.name(question.resembles) ?? question.resembles
        return [
            ProblemSighting(
                .identityQuestion, of: machine, subject: question.resembles, since: nil,
                "it looks like \(other): \(question.comparison)",
                attempt:
                    "look which machine it is: slipway machine merge \(machine.name) \(other), or slipway machine split \(machine.name)"
            )
        ]
    }

    @Sendable private static func unexpected(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        if let condition = machine.condition(.expected), !condition.status {
            return [
                ProblemSighting(
                    .notAsAnnounced, of: machine, since: condition.since, condition.reason,
                    attempt: "look at the machine, and mend it or its announcement: slipway machine expect")
            ]
        }
        guard machine.observed.phase == .discovered, !machine.desired.accepted, machine.observed.question == nil else {
            return []
        }
        if facts.hasAnnouncements, machine.observed.expected == nil {
            return [
                ProblemSighting(
                    .unexpectedMachine, of: machine, since: machine.createdAt,
                    "it boots from the network, and no announcement is its",
                    attempt:
                        "find out whose it is: slipway machine show \(machine.name); then slipway machine accept \(machine.name), or unplug it"
                )
            ]
        }
        guard facts.now.timeIntervalSince(machine.createdAt) >= acceptancePatience else { return [] }
        return [
            ProblemSighting(
                .acceptanceWaits, of: machine, since: machine.createdAt, "it was discovered, and nobody said more",
                attempt: "slipway machine show \(machine.name); then slipway machine accept \(machine.name)")
        ]
    }

    @Sendable private static func agent(_ machine: Machine, _ facts: ProblemFacts) -> [ProblemSighting] {
        guard machine.observed.phase == .ready, let session = facts.sessions[machine.id], session.live,
            session.openedAt >= machine.observed.phaseSince,
            facts.now.timeIntervalSince(session.openedAt) >= agentPatience
        else { return [] }
        return [
            ProblemSighting(
                .bootsUnexpectedly, of: machine, since: session.openedAt,
                "it has its system, and the agent runs on it instead",
                attempt:
                    "slipway machine boot-trace \(machine.name) tells how it came there; look at its disk and boot order, then power-cycle it"
            )
        ]
    }

    // MARK: Installation

    private static func images(_ facts: ProblemFacts, _ machines: [Machine]) -> [ProblemSighting] {
        let users = Dictionary(grouping: machines) { $0.desired.assignment?.release }
        return facts.releases.filter { !$0.artifacts.values.allSatisfy { facts.images.contains($0.sha256) } }.compactMap
        { release in
            guard let users = users[release.name], !users.isEmpty else { return nil }
            let names = users.map(\.name).sorted()
            let shown =
                names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
            return ProblemSighting(
                .imageMissing, of: nil, subject: release.name, since: nil,
                "files of \(release.name), which is for \(shown), are not in the library: none of them can be installed",
                attempt: "add the release again: slipway os add FILE --name \(release.name)")
        }
    }

    private static func certificates(_ facts: ProblemFacts) -> [ProblemSighting] {
        facts.certificates.flatMap { expiry(of: $0.name, $0.notAfter, of: nil, renewal: $0.renewal, facts) }
    }

    private static func expiry(
        of name: String, _ notAfter: Date, of machine: Machine?, renewal: String, _ facts: ProblemFacts
    ) -> [ProblemSighting] {
        if facts.now >= notAfter {
            return [
                ProblemSighting(
                    .certificateExpired, of: machine, subject: name, since: notAfter,
                    "\(name) expired at \(RFC3339.format(notAfter))", attempt: renewal)
            ]
        }
        let warned = notAfter.addingTimeInterval(-expiryWarning)
        guard facts.now >= warned else { return [] }
        return [
            ProblemSighting(
                .certificateExpiring, of: machine, subject: name, since: warned,
                "\(name) expires at \(RFC3339.format(notAfter))", attempt: renewal)
        ]
    }

    private static func approvals(_ facts: ProblemFacts, _ machines: [Machine]) -> [ProblemSighting] {
        facts.approvals.map { approval in
            ProblemSighting(
                .approvalWaits, of: machines.first { $0.id == approval.machine }, subject: approval.operation,
                since: approval.since, "\(approval.requestedBy) asked to \(approval.what): somebody else has to agree",
                attempt: "slipway operation approve \(approval.operation)")
        }
    }
}
