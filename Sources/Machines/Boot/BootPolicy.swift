import DHCP
import NetworkAddresses

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

/// Who is answered at all.
public struct BootAdmission: Equatable, Sendable {
    public var unknown: UnknownMachinePolicy
    /// Of machines nobody has heard of, only those whose MAC begins so; empty: all.
    public var allowed: [MACPrefix]
    /// Never answered, whatever is known of them.
    public var denied: [MACPrefix]

    public init(unknown: UnknownMachinePolicy, allowed: [MACPrefix] = [], denied: [MACPrefix] = []) {
        (self.unknown, self.allowed, self.denied) = (unknown, allowed, denied)
    }

    func admits(_ mac: MACAddress, isKnown: Bool) -> Bool {
        guard !denied.contains(where: { $0.matches(mac) }) else { return false }
        return isKnown || (unknown == .discover && (allowed.isEmpty || allowed.contains { $0.matches(mac) }))
    }
}

/// Decides what a network boot of a machine means. Pure: the same client and phase give the same action.
public enum BootPolicy {
    /// - Parameter phase: the machine's phase, nil when no machine has this MAC.
    public static func decide(_ client: BootClient, phase: Phase?, admission: BootAdmission) -> BootAction {
        guard admission.admits(client.mac, isKnown: phase != nil) else { return .ignore }
        // An unknown system that is not booting is none of our business, whatever the policy.
        guard let phase else { return client.stage == .system ? .ignore : .agent }
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
