import ConfigDocuments
import Inventory
import Machines
import NetworkAddresses

/// Harvester: its live system fetches its configuration by TLS and installs itself. `harvester/harvester-installer: pkg/config/config.go`.
/// Parameters: `mode` (`join`; `create` for the first machine, with `vip`), `vip`. Patches change the configuration, as YAML.
public struct Harvester: OperatingSystem {
    public init() {}

    public var name: String { "harvester" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd, .rootfs, .iso] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        [
            "its live system fetches the ISO by plain HTTP, and checks nothing of it",
            "it puts its own boot entry ahead of the network's; with a BMC Slipway asks for the network at each start it needs",
            "it tells of failures only where the installation itself fails: the phase's deadline tells of others",
        ]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        guard case .k3s(let join) = input.join else {
            throw ConfigurationError(
                field: "cluster",
                reason: "Harvester joins its own kind only, by server and token: a cluster of kind k3s")
        }
        let arguments = try KernelArgument.all(
            DracutSeed.arguments + [
                ("net.ifnames", "1"), ("rd.cos.disable", nil), ("harvester.install.automatic", "true"),
                ("harvester.install.config_url", input.callback.url(file: "config")),
            ])
        // Its programs believe the system's own authorities only: one more is among them before they start.
        let anchor = ("etc/pki/trust/anchors/slipway.pem", input.callback.certificateAuthority)
        var boot = InstallerBoot(
            overlay: DracutSeed.files(live: [], root: [anchor]),
            arguments: arguments + input.machine.bootInterface + input.machine.kernelArguments)
        boot.archived = [DracutSeed.root: .rootfs]
        boot.served = [ServedFile(name: "config", content: try config(input, join).yaml)]
        return boot
    }

    private func config(
        _ input: InstallationInput, _ join: JoinMaterial.K3sJoin
    ) throws(ConfigurationError) -> ConfigValue {
        let (machine, parameters) = (input.machine, input.release.parameters)
        let creates = parameters["mode"] == "create"
        guard !creates || parameters["vip"] != nil else {
            throw ConfigurationError(
                field: "vip", reason: "the first machine of a Harvester needs the address of all: vip")
        }
        let setup = try NodeSetup(input, in: "/usr/local/slipway", own: NodeSetup.waitForK3s)
        let config: ConfigValue = .present([
            ("scheme_version", 1), ("server_url", creates ? nil : .text(join.server)), ("token", .text(join.token)),
            ("os", Self.system(input, setup)),
        ])
        var patched = try ConfigPatch.apply(input.patches, to: config)
        let vip = creates ? parameters["vip"] : nil
        patched["install"] = .present([
            ("automatic", true), ("mode", creates ? "create" : "join"),
            ("role", machine.role == .controlPlane ? "management" : "worker"),
            ("device", .text(machine.stableDiskPath)), ("iso_url", .text(try input.release.url(.iso))),
            ("vip", vip.map { .text($0) }), ("vip_mode", vip.map { _ in "static" }),
            ("management_interface", try HarvesterNetwork.render(machine.network, bootMAC: machine.bootMAC)),
            ("webhooks", .list(Self.webhooks(input.callback))),
        ])
        return patched
    }

    private static func system(_ input: InstallationInput, _ setup: NodeSetup) -> ConfigValue {
        let (machine, keys) = (input.machine, input.access.sshKeys)
        let servers = machine.network?.dns.servers.map(\.description) ?? []
        let clocks = machine.network?.ntp ?? []
        let arguments = machine.kernelArguments.map(\.description).joined(separator: " ")
        return .present([
            ("hostname", .text(machine.hostname)), ("ssh_authorized_keys", keys.isEmpty ? nil : .texts(keys)),
            ("ntp_servers", clocks.isEmpty ? nil : .texts(clocks)),
            ("dns_nameservers", servers.isEmpty ? nil : .texts(servers)),
            ("write_files", .list(setup.allFiles.map(Yip.textualFile))),
            ("after_install_chroot_commands", .texts(setup.units.map { "systemctl enable \($0.name)" })),
            ("additional_kernel_arguments", arguments.isEmpty ? nil : .text(arguments)),
        ])
    }

    private static func webhooks(_ callback: Callback) -> [ConfigValue] {
        let news: [(String, InstallationNews)] = [
            ("STARTED", .started), ("SUCCEEDED", .installed), ("FAILED", .failed),
        ]
        return news.map { event, news in ["event": .text(event), "method": "POST", "url": .text(callback.url(news))] }
    }
}

/// A network as Harvester's `management_interface`: one bond, perhaps with one VLAN on it, with DHCP or one IPv4 address.
enum HarvesterNetwork {
    /// - Throws: ``ConfigurationError`` for a network that is more than that.
    static func render(_ network: SystemNetwork?, bootMAC: MACAddress?) throws(ConfigurationError) -> ConfigValue {
        func hardware(_ macs: [MACAddress]) -> ConfigValue { .list(macs.map { ["hwAddr": .text($0.description)] }) }
        guard let network else {
            guard let bootMAC else {
                throw ConfigurationError(
                    field: "network", reason: "Harvester needs to be told its ports, and none of this machine is known")
            }
            return ["interfaces": hardware([bootMAC]), "method": "dhcp"]
        }
        func refused(_ path: String, _ what: String) -> ConfigurationError {
            ConfigurationError(
                field: "network.\(path)",
                reason: "Harvester's management interface is one bond with one IPv4 address, and knows no \(what)")
        }
        let used = network.addressings.filter { !$0.addressing.isEmpty }
        guard let (name, addressing) = used.first, used.count == 1 else {
            throw refused(used.count > 1 ? used[1].name : "nics", "second interface")
        }
        let vlan = network.vlans.first { $0.name == name }
        let base = vlan?.settings.on ?? name
        let bond = network.bonds.first { $0.name == base }
        let ports = bond?.ports ?? network.freePorts.filter { $0.name == base }
        guard !ports.isEmpty else { throw refused(name, "interface but ports and bonds") }
        guard !addressing.automatic6, addressing.addresses(isIPv6: true).isEmpty, addressing.routes.isEmpty,
            addressing.addresses.count <= 1, addressing.addresses.isEmpty || !addressing.dhcp4
        else { throw refused(name, "IPv6, routes or second address") }
        let own = addressing.addresses.first
        return .present([
            ("interfaces", hardware(ports.map(\.mac))), ("method", own == nil ? "dhcp" : "static"),
            ("ip", own.map { .text($0.address.description) }),
            ("subnet_mask", own.map { .text(mask($0.length)) }),
            ("gateway", addressing.gateway(isIPv6: false).map { .text($0.description) }),
            (
                "bond_options",
                bond.map { bond in
                    ["mode": .text(bond.settings.mode.rawValue), "miimon": .integer(bond.settings.monitorMilliseconds)]
                }
            ),
            ("mtu", (vlan?.settings.mtu ?? bond?.settings.mtu ?? ports.first?.mtu).map { .integer($0) }),
            ("vlan_id", vlan.map { .integer($0.settings.id) }),
        ])
    }

    private static func mask(_ length: Int) -> String {
        let bits = length == 0 ? 0 : UInt32.max << UInt32(32 - length)
        return [24, 16, 8, 0].map { String(bits >> UInt32($0) & 255) }.joined(separator: ".")
    }
}
