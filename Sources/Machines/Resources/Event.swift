import FoundationEssentials
import NetworkAddresses

/// One entry of the trail: who did what to which machine, and what changed.
public struct Event: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "event"

    /// Sorts by time: milliseconds since 1970 in hex, then random digits.
    public let id: String
    public let time: Date
    public let type: Kind
    /// Id of the machine, nil while the MAC belongs to none.
    public let machine: String?
    public let mac: MACAddress?
    /// Name of the token, or the part of Slipway that acted.
    public let actor: String
    public let message: String
    /// Small facts for programs, such as `from`, `to`, `file`, `bytes`. Never a secret.
    public let details: [String: String]

    public init(
        id: String, time: Date, type: Kind, machine: String?, mac: MACAddress? = nil, actor: String, message: String,
        details: [String: String] = [:]
    ) {
        (self.id, self.time, self.type, self.machine, self.mac) = (id, time, type, machine, mac)
        (self.actor, self.message, self.details) = (actor, message, details)
    }

    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Steps of a boot, in the order in which a boot takes them.
        case bootFirmware = "boot.firmware"
        case bootDHCP = "boot.dhcp"
        case bootTFTP = "boot.tftp"
        case bootHTTP = "boot.http"
        case bootIPXE = "boot.ipxe"
        case bootScript = "boot.script"
        case bootKernel = "boot.kernel"
        case bootSystem = "boot.system"
        case agentSession = "agent.session"
        case agentRefused = "agent.refused"
        case hardwareReported = "hardware.reported"
        case hardwareChanged = "hardware.changed"
        case profileMatched = "profile.matched"
        case phaseChanged = "phase.changed"
        case machineChanged = "machine.changed"
        case orderIssued = "order.issued"
        /// An agent could not carry one out.
        case orderFailed = "order.failed"
        case diskWiped = "disk.wiped"
        case installProgress = "install.progress"
        case installWritten = "install.written"
        /// The agent left for a system's own installer.
        case installerEntered = "installer.entered"
        /// What an installer, or a system at its first start, told.
        case installerNews = "installer.news"
        /// A rescue shell: of these its recording tells the rest.
        case shellOpened = "shell.opened"
        case shellAttached = "shell.attached"
        case shellEnded = "shell.ended"
        case powerCommand = "power.command"
        case bmcCommand = "bmc.command"
        case nodeRegistered = "node.registered"
        case nodeReady = "node.ready"
        case nodeLeaving = "node.leaving"
        case certificateIssued = "certificate.issued"
        case problem = "problem"
        case resourceChanged = "resource.changed"
        /// Somebody asked to see what is sealed.
        case secretsShown = "secrets.shown"
    }
}
