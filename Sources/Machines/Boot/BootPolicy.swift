import DHCP
import FoundationEssentials
import Inventory
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

/// What is known of a machine that asks.
public struct BootFacts: Equatable, Sendable {
    public var phase: Phase
    /// Its agent's last report; nil: BIOS, or not told.
    public var secureBoot: Bool?
    /// Volume id of the installed system's EFI system partition, such as `7E1F-02AB`.
    public var bootVolume: String?
    /// The agent can start the installed system.
    public var takesKexec: Bool
    public var preferences: BootPreferences

    public init(
        phase: Phase, secureBoot: Bool? = nil, bootVolume: String? = nil, takesKexec: Bool = false,
        preferences: BootPreferences = BootPreferences()
    ) {
        (self.phase, self.secureBoot, self.bootVolume) = (phase, secureBoot, bootVolume)
        (self.takesKexec, self.preferences) = (takesKexec, preferences)
    }
}

/// What there is to boot beside iPXE.
public struct BootOfferings: Equatable, Sendable {
    /// shim and signed GRUB for x64 UEFI are among the boot files.
    public var signedChain: Bool
    /// GRUB for x64 UEFI is.
    public var grub: Bool
    /// That GRUB reads by HTTP. Debian's signed one does not, and started by UEFI HTTP boot it waits at its prompt for ever.
    public var grubReadsHTTP: Bool
    /// What there are agents for.
    public var agents: Set<AgentArchitecture>

    public init(
        signedChain: Bool = false, grub: Bool = false, grubReadsHTTP: Bool = false,
        agents: Set<AgentArchitecture> = [.amd64]
    ) {
        (self.signedChain, self.grub, self.grubReadsHTTP, self.agents) = (signedChain, grub, grubReadsHTTP, agents)
    }
}

/// Decides what a network boot of a machine means. Pure: the same client and facts give the same instruction.
public enum BootPolicy {
    /// - Parameters:
    ///   - facts: of the machine with this MAC; nil when there is none.
    ///   - habits: what its firmware has shown.
    public static func instruct(
        _ client: BootClient, facts: BootFacts?, habits: BootHabits, admission: BootAdmission,
        offerings: BootOfferings, now: Date
    ) -> BootInstruction {
        let action = decide(client, phase: facts?.phase, admission: admission)
        guard action != .ignore else { return BootInstruction(.ignore) }
        var habits = habits
        if client.stage == .firmware {
            // That it asks is the newest fact of all, and not noted yet.
            habits.note(
                BootTraceEvent(
                    time: now, isIPv6: client.isIPv6,
                    step: .discover(stage: .firmware, architecture: client.architecture)))
        }
        let form = facts?.preferences.proxyForm ?? habits.form(now: now)
        return BootInstruction(
            action, program: program(client, action, facts, habits, offerings), proxyForm: form)
    }

    /// How a machine that is to boot its disk gets there.
    public static func diskMethod(
        isUEFI: Bool, facts: BootFacts?, habits: BootHabits, offerings: BootOfferings
    ) -> LocalDiskMethod {
        let canGRUB = isUEFI && offerings.grub && facts?.bootVolume != nil
        // In the order in which they were measured to be good; see docs/network-boot.md.
        let standard: [LocalDiskMethod] =
            isUEFI
            ? [.grub, .exitFailure, .sanboot, .notFound, .agentKexec]
            : [.exit, .sanboot, .notFound, .exitFailure, .agentKexec]
        let preferred = facts?.preferences.localDisk ?? []
        let ways = (preferred.isEmpty ? standard : preferred).filter { way in
            switch way {
            case .bmc: false
            case .grub: canGRUB
            case .agentKexec: facts?.takesKexec ?? false
            case .exit, .exitFailure, .sanboot, .notFound: true
            }
        }
        return habits.diskMethod(of: ways) ?? (isUEFI ? .exitFailure : .exit)
    }

    /// What the BMC is to be told ahead of a power command; nil: nothing, and the network tells the machine its way.
    /// - Parameters:
    ///   - order: what its boot entries are put in.
    ///   - isRepeated: a command of this step brought up no agent.
    public static func bootDevice(
        phase: Phase, order: BootOrder, isRepeated: Bool, preferences: BootPreferences, habits: [BootHabits]
    ) -> BootDevice? {
        // A machine that tries its disk first would start the system that is to be erased.
        if [.wiping, .installing, .rescue].contains(phase), order == .diskFirst || isRepeated { return .network }
        guard preferences.localDisk.contains(.bmc), decide(phase) == .localDisk,
            !habits.contains(where: { $0.failedDiskMethods.contains(.bmc) })
        else { return nil }
        return .disk
    }

    private static func program(
        _ client: BootClient, _ action: BootAction, _ facts: BootFacts?, _ habits: BootHabits,
        _ offerings: BootOfferings
    ) -> BootProgram {
        if let file = facts?.preferences.program { return .file(file) }
        let architecture = client.architecture?.withoutHTTP
        guard architecture == .efiX64 || architecture == .efiBC else { return .standard }
        guard client.architecture?.isHTTP != true || offerings.grubReadsHTTP else { return .standard }
        let wantsSigned: Bool =
            switch habits.program {
            case .signed: true
            case .standard: false
            case .grub, .file, nil: facts?.secureBoot ?? false
            }
        if action == .localDisk {
            let method = diskMethod(isUEFI: true, facts: facts, habits: habits, offerings: offerings)
            // The agent's way begins as every boot of the agent does. Without GRUB firmware that refuses iPXE goes on to its disk at once, and other firmware is told to by iPXE.
            guard method == .grub || method == .agentKexec else { return .standard }
            return wantsSigned && offerings.signedChain ? .signed : method == .grub ? .grub : .standard
        }
        return wantsSigned && offerings.signedChain ? .signed : .standard
    }

    /// - Parameter phase: the machine's phase, nil when no machine has this MAC.
    public static func decide(_ client: BootClient, phase: Phase?, admission: BootAdmission) -> BootAction {
        guard admission.admits(client.mac, isKnown: phase != nil) else { return .ignore }
        // An unknown system that is not booting is none of our business, whatever the policy.
        guard let phase else { return client.stage == .system ? .ignore : .agent }
        return decide(phase)
    }

    /// The machine has its system, and is told its way there.
    public static func isHandedToDisk(_ phase: Phase) -> Bool { decide(phase) == .localDisk }

    private static func decide(_ phase: Phase) -> BootAction {
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
