import DHCP

/// What a machine that asks the network is to boot.
public enum BootAction: String, Codable, Sendable {
    /// The agent.
    case agent
    /// Its own disk: the client is given iPXE and a script that hands it back to its firmware.
    case localDisk
    /// No answer at all.
    case ignore
}

/// What to do with a machine nobody has heard of.
public enum UnknownMachinePolicy: String, Codable, Sendable, CaseIterable {
    /// Boot the agent, which only looks.
    case discover
    /// Stay silent.
    case ignore
}

/// Decides what a network boot of a machine means. Pure: the same client and phase give the same action.
public enum BootPolicy {
    /// - Parameter phase: the machine's phase, nil when no machine has this MAC.
    public static func decide(_ client: BootClient, phase: Phase?, unknown: UnknownMachinePolicy) -> BootAction {
        guard let phase else {
            switch (client.stage, unknown) {
            // An unknown system that is not booting is none of our business, whatever the policy.
            case (.system, _), (_, .ignore): return .ignore
            case (_, .discover): return .agent
            }
        }
        switch phase {
        case .discovered, .inspecting, .available, .installing, .wiping, .rescue: return .agent
        // They own their disk, or are in somebody's hands.
        case .joining, .ready, .draining, .maintenance: return .localDisk
        // The agent only looks until it has an order, so a failed machine can be asked to try again without a restart.
        case .failed: return .agent
        case .rejected, .retired: return .ignore
        }
    }
}
