import ConfigDocuments
import Inventory
import Machines
import NetworkAddresses

/// k3OS, which its makers ended in 2022: its live system installs itself by files of its initramfs, of which it keeps those below `/k3os/system`.
/// `rancher/k3os: install.sh, pkg/config`. Patches change the installed system's configuration, as YAML.
public struct K3OS: OperatingSystem {
    public init() {}

    public var name: String { "k3os" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }
    public var support: SupportStatus {
        .ended(successor: "Elemental and Kairos followed it; bring your own mirror of it")
    }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd, .iso] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        ["its installer tells of no failure: the phase's deadline does", "no Secure Boot"]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        guard case .k3s(let join) = input.join else {
            throw ConfigurationError(field: "cluster", reason: "k3OS joins clusters of k3s only")
        }
        let arguments = try KernelArgument.all([
            ("k3os.mode", "install"), ("k3os.install.silent", "true"),
            ("k3os.install.config_url", "/\(Self.folder)/node.yaml"),
            ("k3os.install.iso_url", "/\(Self.folder)/k3os.iso"),
        ])
        var boot = InstallerBoot(
            overlay: [
                OverlayFile(path: "k3os/system/config.yaml", content: live(input).yaml),
                OverlayFile(path: "\(Self.folder)/node.yaml", content: try node(input, join).yaml),
                OverlayFile(path: "\(Self.folder)/ca.pem", content: input.callback.certificateAuthority),
                OverlayFile(path: "\(Self.folder)/disk", mode: 0o700, content: Self.disk(input)),
            ], arguments: arguments + input.machine.kernelArguments)
        boot.archived = ["\(Self.folder)/k3os.iso": .iso]
        boot.end = .entered
        return boot
    }

    private static let folder = "k3os/system/slipway"

    /// The installer's own configuration: its disk is known by the kernel's name only, which is looked up ahead of it.
    private func live(_ input: InstallationInput) -> ConfigValue { ["run_cmd": [.text("sh /\(Self.folder)/disk")]] }

    private static func disk(_ input: InstallationInput) -> String {
        """
        #!/bin/sh
        \(InstallerScripts.findDisk(input.machine))mkdir -p /var/lib/rancher/k3os/config.d
        printf 'k3os:\\n  install:\\n    device: %s\\n' "$disk" >/var/lib/rancher/k3os/config.d/10-slipway.yaml
        \(InstallerScripts.report(.started, input.callback, authority: "/\(folder)/ca.pem")) || true

        """
    }

    private func node(
        _ input: InstallationInput, _ join: JoinMaterial.K3sJoin
    ) throws(ConfigurationError) -> ConfigValue {
        let machine = input.machine
        let authority = NodeSetup.File(
            path: "/var/lib/rancher/slipway/ca.pem", mode: 0o600, content: input.callback.certificateAuthority)
        func report(_ news: InstallationNews) -> String {
            InstallerScripts.report(news, input.callback, authority: authority.path) + " || true"
        }
        let files = [authority] + (try ConnmanNetwork.render(machine.network).map { [$0] } ?? [])
        let setup =
            input.setup.map {
                [
                    "[ -e /var/lib/rancher/slipway/setup.done ] || { sh -c \(ShellText.quoted($0)) && : >/var/lib/rancher/slipway/setup.done; }"
                ]
            } ?? []
        let role = machine.role == .controlPlane ? "server" : "agent"
        let document: ConfigValue = .present([
            ("hostname", .text(machine.hostname)),
            ("ssh_authorized_keys", input.access.sshKeys.isEmpty ? nil : .texts(input.access.sshKeys)),
            ("write_files", .list(files.map(Yip.textualFile))),
            (
                "run_cmd",
                .texts(
                    [report(.firstBoot)] + setup + [
                        "(until k3s kubectl --kubeconfig /var/lib/rancher/k3s/agent/kubelet.kubeconfig get node \(ShellText.quoted(machine.hostname)) >/dev/null 2>&1; do sleep 10; done; \(report(.joined))) &"
                    ])
            ),
            (
                "k3os",
                .present([
                    ("server_url", .text(join.server)), ("token", .text(join.token)),
                    (
                        "k3s_args",
                        .texts([
                            role, "--node-name=\(machine.hostname)", "--kubelet-arg=provider-id=\(machine.providerID)",
                        ])
                    ),
                    (
                        "labels",
                        machine.labels.isEmpty
                            ? nil
                            : .mapping(
                                ConfigMapping(
                                    machine.labels.sorted { $0.key < $1.key }.map { ($0.key, .text($0.value)) }))
                    ),
                    ("ntp_servers", machine.network.flatMap { $0.ntp.isEmpty ? nil : .texts($0.ntp) }),
                    (
                        "dns_nameservers",
                        machine.network.flatMap { network in
                            network.dns.servers.isEmpty ? nil : .texts(network.dns.servers.map(\.description))
                        }
                    ),
                ])
            ),
        ])
        return try ConfigPatch.apply(input.patches, to: document)
    }
}

/// A network as connman has it: one port with DHCP or one IPv4 address (connman-service.config(5)).
enum ConnmanNetwork {
    /// - Throws: ``ConfigurationError`` for a network that is more than that.
    static func render(_ network: SystemNetwork?) throws(ConfigurationError) -> NodeSetup.File? {
        guard let network else { return nil }
        func refused(_ path: String, _ what: String) -> ConfigurationError {
            ConfigurationError(
                field: "network.\(path)", reason: "k3OS uses one port with one IPv4 address, and knows no \(what)")
        }
        guard network.bonds.isEmpty else { throw refused("bonds", "bonds") }
        guard network.vlans.isEmpty else { throw refused("vlans", "VLANs") }
        let used = network.freePorts.filter { !$0.addressing.isEmpty }
        guard let port = used.first, used.count == 1 else { throw refused("nics", "second port") }
        let addressing = port.addressing
        guard port.mtu == nil, !addressing.automatic6, addressing.routes.isEmpty, addressing.addresses.count <= 1,
            addressing.addresses(isIPv6: true).isEmpty
        else { throw refused(port.name, "IPv6, routes, MTU or second address") }
        var lines = ["[service_slipway]", "Type=ethernet", "MAC=\(port.mac)"]
        if let own = addressing.addresses.first {
            let gateway = addressing.gateway(isIPv6: false).map { "/\($0)" } ?? ""
            lines.append("IPv4=\(own)\(gateway)")
        } else {
            lines.append("IPv4=dhcp")
        }
        lines.append("IPv6=off")
        if !network.dns.servers.isEmpty {
            lines.append("Nameservers=\(network.dns.servers.map(\.description).joined(separator: ","))")
        }
        if !network.dns.search.isEmpty { lines.append("SearchDomains=\(network.dns.search.joined(separator: ","))") }
        return .init(
            path: "/var/lib/connman/slipway.config", mode: 0o600, content: lines.map { $0 + "\n" }.joined())
    }
}
