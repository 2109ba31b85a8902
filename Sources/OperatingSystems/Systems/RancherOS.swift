import ConfigDocuments
import Inventory
import Machines
import NetworkAddresses

/// RancherOS 1.5, a host of containers that its makers ended in 2020: its live system is told by a cloud-config to install itself.
/// `rancher/os: cmd/control/install.go, config/disk.go`. It boots by BIOS only, and no kind of cluster has a way for it to join but commands of a
/// person (`setup`).
/// Parameters: `image` (of its installer, on a registry of one's own). Patches change the installed system's cloud-config, as YAML.
public struct RancherOS: OperatingSystem {
    public init() {}

    public var name: String { "rancheros" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }
    public var support: SupportStatus { .ended(successor: "Elemental followed it; bring your own mirror of it") }

    public func evidence(_ route: InstallRoute) -> Evidence { .rendered }
    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        [
            "by BIOS only, and not on NVMe", "it fetches its installer's image from a registry: `image` names yours",
            "its console has no tool that knows Slipway's CA: it tells nothing, and its cluster's setup has to say that it joined",
        ]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        guard !input.machine.isUEFI else {
            throw ConfigurationError(field: "os", reason: "RancherOS starts by BIOS only, and this machine has UEFI")
        }
        guard input.machine.disk.transport != .nvme else {
            throw ConfigurationError(field: "disk", reason: "RancherOS does not know the partitions of NVMe disks")
        }
        guard let setup = input.setup else {
            throw ConfigurationError(
                field: "cluster.setup", reason: "RancherOS joins no cluster by itself: say with which commands it does")
        }
        let authority = input.callback.certificateAuthority
        let live: ConfigValue = [
            "rancher": ["network": try Self.network(nil)],
            "runcmd": [["sh", "-c", .text("sh /\(Self.folder)/install")]],
        ]
        let kept = input.machine.kernelArguments.map(\.description).joined(separator: " ")
        let image = try input.release.parameters["image"].map { text throws(ConfigurationError) in
            " -i " + ShellText.quoted(try Kickstart.word(text, of: "image"))
        }
        let install = """
            #!/bin/sh
            \(InstallerScripts.findDisk(input.machine))ros install -f -t gptsyslinux -d "$disk" -c /\(Self.folder)/node.yml\(image ?? "") -a \(ShellText.quoted(kept)) --no-reboot && reboot

            """
        var boot = InstallerBoot(
            overlay: [
                OverlayFile(
                    path: "var/lib/rancher/conf/cloud-config.d/slipway.yml", content: "#cloud-config\n" + live.yaml),
                OverlayFile(
                    path: "\(Self.folder)/node.yml",
                    content: "#cloud-config\n" + (try node(input, setup, authority)).yaml),
                OverlayFile(path: "\(Self.folder)/install", mode: 0o700, content: install),
            ], arguments: input.machine.kernelArguments)
        boot.end = .entered
        return boot
    }

    private static let folder = "var/lib/rancher/slipway"

    private func node(
        _ input: InstallationInput, _ setup: String, _ authority: String
    ) throws(ConfigurationError) -> ConfigValue {
        let files = [
            NodeSetup.File(path: "/opt/slipway/ca.pem", mode: 0o600, content: authority),
            .init(path: "/opt/slipway/callback", mode: 0o600, content: input.callback.url + "\n"),
            .init(path: "/opt/slipway/setup", mode: 0o700, content: setup),
        ]
        let document: ConfigValue = .present([
            ("hostname", .text(input.machine.hostname)),
            ("ssh_authorized_keys", input.access.sshKeys.isEmpty ? nil : .texts(input.access.sshKeys)),
            ("write_files", .list(files.map(Yip.textualFile))),
            ("rancher", ["network": try Self.network(input.machine.network)]),
            (
                "runcmd",
                [
                    [
                        "sh", "-c",
                        "[ -e /opt/slipway/setup.done ] || { sh /opt/slipway/setup && : >/opt/slipway/setup.done; }",
                    ]
                ]
            ),
        ])
        return try ConfigPatch.apply(input.patches, to: document)
    }

    /// `rancher.network`; interfaces are matched by MAC.
    static func network(_ network: SystemNetwork?) throws(ConfigurationError) -> ConfigValue {
        guard let network else { return ["interfaces": ["eth*": ["dhcp": true]]] }
        func refused(_ path: String, _ what: String) -> ConfigurationError {
            ConfigurationError(field: "network.\(path)", reason: "RancherOS has no word for \(what)")
        }
        guard network.ntp.isEmpty else { throw refused("ntp", "time servers") }
        func words(_ name: String, _ addressing: MachineNetwork.Addressing, _ mtu: Int?) throws(ConfigurationError)
            -> [(String, ConfigValue?)]
        {
            guard addressing.routes.isEmpty else { throw refused(name, "routes") }
            let vlans = network.vlans(on: name)
            return [
                ("dhcp", .boolean(addressing.dhcp4)),
                ("addresses", addressing.addresses.isEmpty ? nil : .texts(addressing.addresses.map(\.description))),
                ("gateway", addressing.gateway(isIPv6: false).map { .text($0.description) }),
                ("gateway_ipv6", addressing.gateway(isIPv6: true).map { .text($0.description) }),
                ("mtu", mtu.map { .integer($0) }),
                (
                    "vlans",
                    vlans.isEmpty ? nil : .text(vlans.map { "\($0.settings.id):\($0.name)" }.joined(separator: ","))
                ),
            ]
        }
        var interfaces: [(String, ConfigValue)] = []
        for port in network.ports {
            let match = [("match", ConfigValue.text("mac=\(port.mac)") as ConfigValue?)]
            if let bond = port.bond {
                interfaces.append((port.name, .present(match + [("bond", .text(bond))])))
            } else {
                interfaces.append((port.name, .present(match + (try words(port.name, port.addressing, port.mtu)))))
            }
        }
        for bond in network.bonds {
            let options: ConfigValue = .present([
                ("mode", .text(bond.settings.mode.rawValue)), ("miimon", .integer(bond.settings.monitorMilliseconds)),
                ("lacp_rate", bond.settings.lacpRate.map { .text($0.rawValue) }),
                ("xmit_hash_policy", bond.settings.hash.map { .text($0.rawValue) }),
            ])
            interfaces.append(
                (
                    bond.name,
                    .present(
                        [("bond_opts", options)] + (try words(bond.name, bond.settings.addressing, bond.settings.mtu)))
                ))
        }
        for vlan in network.vlans {
            interfaces.append(
                (vlan.name, .present(try words(vlan.name, vlan.settings.addressing, vlan.settings.mtu))))
        }
        return .present([
            ("interfaces", .mapping(ConfigMapping(interfaces))),
            (
                "dns",
                network.dns == .init()
                    ? nil
                    : [
                        "nameservers": .texts(network.dns.servers.map(\.description)),
                        "search": .texts(network.dns.search),
                    ]
            ),
        ])
    }
}
