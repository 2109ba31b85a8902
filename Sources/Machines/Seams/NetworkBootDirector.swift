import DHCP
import Inventory
import NetworkAddresses

/// What a client told of itself in one DHCP packet or one script request. Nothing in it is proven.
public struct BootClient: Equatable, Sendable {
    /// Which program is asking.
    public enum Stage: String, Codable, Sendable {
        /// The machine's own PXE or UEFI HTTP firmware.
        case firmware
        /// iPXE, known by its user class (option 77).
        case ipxe
        /// GRUB that was given as a boot program, known by the path of its configuration.
        case grub
        /// Our agent, known by its vendor class (option 60) ``agentVendorClass``.
        case agent
        /// Not a network boot: an installed system, or anything else that wants a lease.
        case system

        public static let agentVendorClass = "slipway-agent"
    }

    public var mac: MACAddress
    /// Option 97 or iPXE's `${uuid}`.
    public var uuid: SystemUUID?
    /// Option 93.
    public var architecture: ClientArchitecture?
    public var stage: Stage
    /// Where the request came from, or the address leased to it.
    public var address: IPv4Address?
    /// It asks by DHCPv6, which firmware counts as another boot device.
    public var isIPv6: Bool

    public init(
        mac: MACAddress, uuid: SystemUUID? = nil, architecture: ClientArchitecture? = nil, stage: Stage,
        address: IPv4Address? = nil, isIPv6: Bool = false
    ) {
        (self.mac, self.uuid, self.architecture, self.stage, self.address) = (mac, uuid, architecture, stage, address)
        self.isIPv6 = isIPv6
    }
}

/// The script an iPXE client is to be given, before it is rendered.
public enum BootScript: Equatable, Sendable {
    /// Boot the agent with these kernel arguments, of which the first ones name the daemon and the ticket.
    /// - Parameter toDisk: to start the installed system.
    case agent([KernelArgument], toDisk: Bool = false)
    /// Get the machine to its own disk.
    /// - Parameter volume: id of the EFI system partition that GRUB looks for.
    case localDisk(LocalDiskMethod, volume: String?)
    /// Start a system's own installer.
    case installer(InstallerStart)
    /// Print these words, wait, and hand back: the machine cannot be served, and this says why.
    case refuse(String)
}

/// What a boot program is told of an installer.
public struct InstallerStart: Equatable, Sendable {
    /// SHA-256 of the kernel, a file of the library.
    public var kernel: String
    /// ``KernelArgument``s with blanks between them: nothing in it ends a line or starts a command.
    public var commandLine: String
    /// Names the initramfs, once.
    public var token: String

    public init(kernel: String, commandLine: String, token: String) {
        (self.kernel, self.commandLine, self.token) = (kernel, commandLine, token)
    }
}

/// Decides what a machine boots. The packet path calls it: every member answers from memory and never waits.
public protocol NetworkBootDirector: Sendable {
    /// What to tell a client now.
    func instruction(for client: BootClient) -> BootInstruction
    /// The script for exactly this machine at this moment. Called once for each fetch: a ticket in it is used up by one boot.
    func script(for client: BootClient) -> BootScript
    /// The initramfs that ``BootScript/installer(_:)`` named, for whoever was told of it, and from then on for nobody. It may wait, for the store.
    func initrd(_ token: String, for address: IPv4Address?) async -> [InitrdPart]?
    /// Notes one step of a boot for the trace. Never blocks; steps may be dropped under a flood.
    func record(_ event: BootTraceEvent)
}

extension NetworkBootDirector {
    public func initrd(_ token: String, for address: IPv4Address?) async -> [InitrdPart]? { nil }
}
