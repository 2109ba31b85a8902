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
    case draining
    case wiping
    /// Stopped with a reason; waits for a person.
    case failed
    /// Hands off: a person works on it.
    case maintenance
    case rescue
    case rejected
    case retired

    /// How long a machine may stay in this phase before its lifecycle says so, in seconds; nil where it may stay for ever.
    public var deadline: Double? {
        switch self {
        case .inspecting: 30 * 60
        case .installing: 60 * 60
        // A server needs up to half an hour in firmware alone when kexec fell back to a power cycle.
        case .joining: 45 * 60
        case .draining: 60 * 60
        case .wiping: 24 * 60 * 60
        case .discovered, .available, .ready, .failed, .maintenance, .rescue, .rejected, .retired: nil
        }
    }
}
