import Inventory

/// Where a machine is on its way from power-on to node.
public enum Phase: String, Codable, Sendable, CaseIterable {
    /// Seen on the network; waits for a person's accept.
    case discovered
    /// Accepted; waits for a hardware report of this boot.
    case inspecting
    /// Accepted, known and unassigned.
    case available
    /// The agent writes the operating system.
    case installing
    /// Installed and started; waits for the node to register with its cluster.
    case joining
    /// A node of its cluster.
    case ready
    /// Its node leaves the cluster.
    case draining
    /// The agent erases its disks.
    case wiping
    /// Stopped with a reason; waits for a person.
    case failed
    /// Hands off: a person works on it.
    case maintenance
    /// The agent holds a shell for a person.
    case rescue
    /// A person said that it is none of ours.
    case rejected
    /// Out of service for good.
    case retired

    /// How long a machine may stay in this phase before its lifecycle says so, in seconds; nil where it may stay for ever.
    /// - Parameter deadlines: its hardware profile's.
    public func deadline(_ deadlines: PhaseDeadlines = PhaseDeadlines()) -> Double? {
        switch self {
        case .inspecting: deadlines.inspecting ?? 30 * 60
        case .installing: deadlines.installing ?? 60 * 60
        // A server needs up to half an hour in firmware alone when kexec fell back to a power cycle.
        case .joining: deadlines.joining ?? 45 * 60
        case .draining: deadlines.draining ?? 60 * 60
        // 20 TB are overwritten and read back at 200 MB/s in 56 hours; no machine that gives signs of life is cut off by less.
        case .wiping: deadlines.wiping ?? 72 * 60 * 60
        case .discovered, .available, .ready, .failed, .maintenance, .rescue, .rejected, .retired: nil
        }
    }

    /// Nobody wants it: a person said so.
    public var isTurnedAway: Bool { self == .rejected || self == .retired }

    /// Where a machine stays until somebody asks for something.
    public var isResting: Bool {
        switch self {
        case .discovered, .available, .ready, .failed, .maintenance, .rejected, .retired: true
        case .inspecting, .installing, .joining, .draining, .wiping, .rescue: false
        }
    }
}
