import FoundationEssentials

/// One stay of a machine in one phase.
public struct PhaseRecord: Codable, Equatable, Sendable {
    public var phase: Phase
    public var since: Date
    /// Nil: it is in it now.
    public var until: Date?
    /// Why it was entered.
    public var reason: String
    /// The phase that followed.
    public var next: Phase?
    /// The operation that ran or had run last when it was entered.
    public var operation: String?
    /// The machine's hardware profile when it was left.
    public var profile: String?

    public init(_ phase: Phase, since: Date, reason: String, operation: String?) {
        (self.phase, self.since, self.reason, self.operation) = (phase, since, reason, operation)
    }

    /// Seconds; nil while it goes on.
    public var seconds: Double? { until?.timeIntervalSince(since) }
}

/// The phases that a machine has been in. Written with each transition, in its transaction.
public struct PhaseHistory: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "phase-history"

    /// Records kept of each machine.
    public static let capacity = 200

    /// The machine's.
    public let id: String
    /// The newest last.
    public private(set) var records: [PhaseRecord]

    /// Of a machine in the phase that it is in.
    public init(_ machine: Machine) {
        id = machine.id
        records = [
            PhaseRecord(
                machine.observed.phase, since: machine.observed.phaseSince,
                reason: machine.observed.phase == .discovered ? "seen on the network" : "before this was recorded",
                operation: nil)
        ]
    }

    /// `machine` leaves the phase that it is in for `phase`.
    public mutating func note(_ machine: Machine, enters phase: Phase, reason: String, at now: Date) {
        if let last = records.indices.last, records[last].until == nil {
            records[last].until = now
            records[last].next = phase
            records[last].profile = machine.observed.profile
        }
        records.append(PhaseRecord(phase, since: now, reason: reason, operation: machine.observed.operation))
        if records.count > Self.capacity { records.removeFirst(records.count - Self.capacity) }
    }
}
