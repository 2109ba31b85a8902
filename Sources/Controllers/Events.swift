import FoundationEssentials
import Machines
import NetworkAddresses
import Store

extension Event {
    /// An event of now.
    static func now(
        _ type: Kind, machine: String?, mac: MACAddress? = nil, actor: String, _ message: String,
        details: [String: String] = [:], at now: Date
    ) -> Event {
        Event(
            id: Credential.timeOrdered(at: now), time: now, type: type, machine: machine, mac: mac, actor: actor,
            message: message, details: details)
    }

    /// Something for a person to look into, told with a machine.
    static func problem(
        _ problem: Problem, machine: String, mac: MACAddress, actor: String, _ message: String,
        details: [String: String] = [:], at now: Date
    ) -> Event {
        .now(
            .problem, machine: machine, mac: mac, actor: actor, message,
            details: details.merging(["problem": problem.rawValue]) { $1 }, at: now)
    }

    enum Problem: String {
        /// An agent showed other hardware than the machine's.
        case hardwareChanged = "hardware-changed"
        /// An agent shows much of what a known machine is known by, and not all of it.
        case identityQuestion = "identity-question"
        /// A machine is not as it was announced.
        case expectationMismatch = "expectation-mismatch"
        /// Two agents go on saying that they are the machine.
        case duplicateSession = "duplicate-session"
        /// Two agents showed one boot ticket.
        case ticketReuse = "ticket-reuse"
        /// The agent could not start the installed system.
        case kexecFailed = "kexec-failed"
    }
}

extension Machine {
    /// Moves to `phase`. The history is written here; machine and event belong into the same transaction.
    /// - Parameter operation: what failed with it.
    mutating func enter(
        _ phase: Phase, reason: String, actor: String, operation: Operation? = nil, at now: Date,
        in transaction: Transaction
    ) async throws -> Event {
        var history = try await transaction.get(PhaseHistory.self, id) ?? PhaseHistory(self)
        history.note(self, enters: phase, reason: reason, at: now)
        try transaction.put(history)
        let from = observed.phase
        let seconds = now.timeIntervalSince(observed.phaseSince)
        observed.phase = phase
        observed.phaseSince = now
        observed.failure =
            phase == .failed
            ? Failure(
                phase: from, reason: reason, at: now, operation: operation?.id,
                next: Failure.remedy(of: from, operation))
            : nil
        updatedAt = now
        return .now(
            .phaseChanged, machine: id, actor: actor, "\(name): \(from.rawValue) → \(phase.rawValue): \(reason)",
            details: [
                "from": from.rawValue, "to": phase.rawValue, "reason": reason, "seconds": seconds.rounded().description,
            ],
            at: now)
    }
}
