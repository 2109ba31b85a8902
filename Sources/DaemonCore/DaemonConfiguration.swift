import DHCP
import Foundation
import Inventory
import Machines
import NetworkAddresses
import NetworkBoot
import ProfileFiles

/// Everything `slipwayd` reads from its configuration file, checked whole at start.
public struct DaemonConfiguration: Sendable, Equatable {
    /// What people call this installation; on wipe certificates.
    public var name: String
    /// Where the daemon keeps its store, keys, leases and images.
    public var stateDirectory: String
    /// Where machines reach the daemon: an address of this host on the provisioning network.
    public var address: IPv4Address
    public var apiPort: Int
    public var bootPort: Int
    /// Of boot HTTP over TLS; nil: there is none.
    public var bootTLSPort: Int?
    /// Firmware that boots by HTTP is sent to ``bootTLSPort``.
    public var firmwareHTTPS: Bool
    public var tftpPort: Int
    /// Transfers happen on ``tftpPort`` too, for NAT and Kubernetes services.
    public var tftpSinglePort: Bool
    /// Port of the syslog receiver; nil: there is none.
    public var syslogPort: Int?
    /// Port of the event sink for Talos machines; nil: there is none.
    public var talosEventsPort: Int?
    public var admission: BootAdmission
    public var profileDirectory: String
    public var scriptDirectory: String
    /// iPXE's binaries.
    public var bootFileDirectory: String
    /// File names for client architectures (option 93) beside the standard ones, such as 6: IA32 UEFI.
    public var bootPrograms: [ClientArchitecture: String]
    /// `vmlinuz` and `initrd` of the agent for amd64.
    public var agentDirectory: String
    /// The same for arm64; nil: machines of that architecture are told that there is none.
    public var agentDirectoryARM64: String?
    /// Kernel arguments of every agent, such as a console or `slipway.vlan`: known before a machine has a profile.
    public var agentArguments: [KernelArgument]
    /// Seconds between two heartbeats of a standalone cluster's nodes.
    public var heartbeatSeconds: Int
    /// Seconds without an order after which an agent powers its machine off; 0: never.
    public var idleSeconds: Int
    /// The subnets on which DHCP is answered; none: another server names the boot files.
    public var subnets: [Subnet]
    /// The IPv6 networks whose firmware is answered.
    public var networks6: [DHCPv6Network] = []
    /// PEM of the authorities that sign BMCs' certificates; nil: there are none.
    public var bmcAuthorities: String?
    /// Operations that destroy data and run at once.
    public var operationLimits = OperationLimits()
    /// API connections of one address. Machines behind a NAT, or a service that hides their addresses, share one: each that waits for an order holds a
    /// connection.
    public var apiConnectionsPerAddress = 256
    /// Keyrings of systems' makers, `SYSTEM.gpg`; nil: `/etc/slipway/keys`, where that is there.
    public var signingKeys: String?
    /// Releases are also fetched from addresses that are not of the public Internet.
    public var fetchesFromPrivateAddresses = false
    /// GiB that one fetched file may have.
    public var largestFetch = 32
    /// GiB that all files of the image library may have; nil: as many as there is room for.
    public var libraryLimit: Int?
    /// How images leave.
    public var images = ImageLimits()
    /// Who else has the library's files.
    public var mirrors: [ImageMirror] = []
    /// DHCP packets a second that one MAC may send in the long run; 0: no limit.
    public var dhcpPacketsPerSecond: Int

    /// Reads a file.
    /// - Throws: `ProfileFileError` naming file, line, column and key.
    public static func load(_ path: String) throws -> DaemonConfiguration {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw ProfileFileError(
                file: path, message: "the configuration cannot be read: \(error.localizedDescription)")
        }
        return try parse(text, file: path)
    }

    public static func parse(_ text: String, file: String) throws -> DaemonConfiguration {
        var top = try YAMLReader(file: file, text: text)
        func port(_ key: String, _ preset: Int) throws -> Int { try top.integer(key, in: 1...65535) ?? preset }
        guard let own = try top.address("address") else {
            throw top.fault(nil, "address is missing: the address of this host on the provisioning network")
        }
        var configuration = DaemonConfiguration(
            name: try top.string("name") ?? "slipway",
            stateDirectory: try top.string("state_directory") ?? "/var/lib/slipway", address: own,
            apiPort: try port("api_port", 8443), bootPort: try port("boot_port", 8080),
            bootTLSPort: try top.integer("boot_tls_port", in: 1...65535),
            firmwareHTTPS: try top.boolean("firmware_https") ?? false,
            tftpPort: try port("tftp_port", 69), tftpSinglePort: try top.boolean("tftp_single_port") ?? false,
            syslogPort: try top.integer("syslog_port", in: 1...65535),
            admission: BootAdmission(
                unknown: try top.word("unknown_machines", UnknownMachinePolicy.self) ?? .discover,
                allowed: try top.list("allow_macs", macPrefix) ?? [], denied: try top.list("deny_macs", macPrefix) ?? []
            ),
            profileDirectory: try top.string("hardware_profiles") ?? "/usr/share/slipway/hardware-profiles",
            scriptDirectory: try top.string("ipxe_scripts") ?? "/usr/share/slipway/ipxe-scripts",
            bootFileDirectory: try top.string("boot_files") ?? "/usr/lib/ipxe",
            bootPrograms: try Self.bootPrograms(&top),
            agentDirectory: try top.string("agent_image") ?? "/usr/share/slipway/agent-image",
            agentDirectoryARM64: try top.string("agent_image_arm64"),
            agentArguments: try top.list("agent_arguments", KernelArgument.init(parsing:)) ?? [],
            heartbeatSeconds: try top.integer("heartbeat_seconds", in: 1...3600) ?? 5,
            idleSeconds: try top.integer("agent_idle_seconds", in: 0...604_800) ?? 3600,
            subnets: [], dhcpPacketsPerSecond: try top.integer("dhcp_packets_per_second", in: 0...1000) ?? 5)
        configuration.operationLimits = OperationLimits(
            total: try top.integer("operation_limit", in: 1...100_000) ?? configuration.operationLimits.total,
            perRack: try top.integer("operation_limit_per_rack", in: 1...100_000)
                ?? configuration.operationLimits.perRack)
        configuration.apiConnectionsPerAddress =
            try top.integer("api_connections_per_address", in: 1...3000) ?? configuration.apiConnectionsPerAddress
        configuration.fetchesFromPrivateAddresses = try top.boolean("fetch_from_private_addresses") ?? false
        configuration.signingKeys = try top.string("signing_keys")
        configuration.libraryLimit = try top.integer("library_limit_gib", in: 1...1_000_000)
        configuration.largestFetch = try top.integer("fetch_limit_gib", in: 1...1024) ?? configuration.largestFetch
        configuration.talosEventsPort = try top.integer("talos_events_port", in: 1...65535)
        configuration.images = try ImagesSection.limits(&top)
        configuration.mirrors = try ImagesSection.mirrors(&top)
        configuration.bmcAuthorities = try top.string("bmc_authorities")
        if configuration.firmwareHTTPS, configuration.bootTLSPort == nil {
            throw top.fault(key: "firmware_https", "firmware_https: needs boot_tls_port, such as 8444")
        }
        configuration.subnets = try DHCPSection.subnets(&top, server: own)
        configuration.networks6 = try DHCPv6Section.networks(&top)
        try top.finish()
        return configuration
    }

    private static func macPrefix(_ text: String) throws -> MACPrefix {
        guard let prefix = MACPrefix(text) else {
            throw ValueFault("\(text) is not the beginning of a MAC address such as b8:ca:3a")
        }
        return prefix
    }

    private static func bootPrograms(_ top: inout YAMLReader) throws -> [ClientArchitecture: String] {
        let pairs = try top.pairs("boot_programs") { key, file in
            guard let number = UInt16(key) else {
                throw ValueFault("\(key) is not a number of option 93, such as 6 for IA32 UEFI")
            }
            let architecture = ClientArchitecture(rawValue: number)
            guard !architecture.isHTTP else {
                throw ValueFault("\(key) boots by HTTP; say \(architecture.withoutHTTP.rawValue), which is for both")
            }
            guard !file.isEmpty, !file.contains("/") else {
                throw ValueFault("\(file) is not the name of a file in boot_files")
            }
            return (architecture, file)
        }
        return Dictionary(pairs ?? []) { $1 }
    }

    /// Where each agent is.
    var agentDirectories: [AgentArchitecture: String] {
        var directories: [AgentArchitecture: String] = [.amd64: agentDirectory]
        directories[.arm64] = agentDirectoryARM64
        return directories
    }

    public var apiURL: String { "https://\(address):\(apiPort)" }
    public var bootURL: String { "http://\(address):\(bootPort)" }
}
