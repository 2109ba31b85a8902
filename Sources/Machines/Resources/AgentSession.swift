import FoundationEssentials
import NetworkAddresses

/// A one-time right to open an agent session, put on the kernel command line of one boot. Kept from its first use on, by its hash,
/// and only the newest of a MAC: a second fetch of the script makes the ticket of the first one worthless.
public struct BootTicket: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "boot-ticket"

    /// The MAC it was made for, which is also its id.
    public let mac: MACAddress
    public var id: String { mac.description }
    /// SHA-256 (hex) of the ticket.
    public let hash: String
    /// The address that fetched the script; the session must come from it or from the address leased to this MAC.
    public let address: IPv4Address?
    public let issuedAt: Date
    /// Id of the session it opened.
    public var usedBy: String?
    /// `bootID` of the agent that used it: the same agent may ask again when it lost the answer.
    public var usedByBoot: String?
    /// Used by a second agent, so worthless.
    public var voided = false

    /// Seconds from script to session: a kernel, an initrd over a slow link and a minute of spanning tree.
    public static let lifetime: Double = 30 * 60

    public init(mac: MACAddress, hash: String, address: IPv4Address?, issuedAt: Date) {
        (self.mac, self.hash, self.address, self.issuedAt) = (mac, hash, address, issuedAt)
    }
}

/// The agent on one machine, from its first call to its end.
public struct AgentSession: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "agent-session"

    public let id: String
    public let machine: String
    public let mac: MACAddress
    /// SHA-256 (hex) of the bearer token.
    public var tokenHash: String
    public let address: String
    public let bootID: String
    public let agentVersion: String
    public let openedAt: Date
    /// Why it may carry secrets; nil: it may not.
    public var trust: Trust?
    public var voided = false
    /// The agent said that it leaves for the installed system: it takes no order any more.
    public var leftAt: Date?
    /// On a machine that has its system: it reported the hardware that the system was installed on, to the last fact.
    public var isKnownHardware: Bool?

    public init(
        id: String, machine: String, mac: MACAddress, tokenHash: String, address: String, bootID: String,
        agentVersion: String, openedAt: Date, trust: Trust?
    ) {
        (self.id, self.machine, self.mac, self.tokenHash) = (id, machine, mac, tokenHash)
        (self.address, self.bootID, self.agentVersion, self.openedAt) = (address, bootID, agentVersion, openedAt)
        self.trust = trust
    }

    public enum Trust: String, Codable, Sendable {
        /// The boot began within the window after a power command of ours.
        case powerCommand
        /// A person accepted or provisioned the machine while this was its one live session.
        case person
    }

    /// Seconds after a power command in which a boot counts as its consequence: the slowest firmware.
    public static let powerWindow: Double = 45 * 60
    /// Seconds without a call after which a session counts as gone: longer than one long poll.
    public static let patience: Double = 90
}
