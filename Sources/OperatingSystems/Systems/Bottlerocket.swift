import ConfigDocuments
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses

/// Bottlerocket for metal: a disk image with two files on its private partition, `user-data.toml` and `net.toml`.
/// `bottlerocket-os/bottlerocket: PROVISIONING-METAL.md`; the last such image was made for Kubernetes 1.28.
/// Parameters: `cluster_dns_ip`. Patches change the user data, as YAML.
public struct Bottlerocket: OperatingSystem {
    public init() {}

    public var name: String { "bottlerocket" }
    public var architectures: [String] { ["amd64"] }
    public var routes: [InstallRoute] { [.image] }
    public var support: SupportStatus {
        .ended(successor: "its makers publish no metal images after metal-k8s-1.28; Talos and Flatcar come nearest")
    }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.image] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        ["its user data keep the bootstrap token on the private partition after the first start"]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        func file(_ path: String, _ content: String) -> ConfigurationFile {
            ConfigurationFile(
                partition: "BOTTLEROCKET-PRIVATE", fileSystem: .ext4, path: path, mode: 0o600, content: content)
        }
        let network = try BottlerocketNetwork.netTOML(input.machine.network, bootMAC: input.machine.bootMAC)
        // It has no initramfs, and its kernel's arguments are its boot loader's affair: firmware starts it.
        return .image(
            files: [file("user-data.toml", try userData(input)), file("net.toml", network)], entry: .reboot)
    }

    private func userData(_ input: InstallationInput) throws(ConfigurationError) -> String {
        guard case .kubernetes(let join) = input.join else {
            throw ConfigurationError(field: "cluster", reason: "Bottlerocket joins clusters of Kubernetes only")
        }
        guard input.machine.role == .worker else {
            throw ConfigurationError(field: "role", reason: "Bottlerocket for metal is a worker only")
        }
        guard input.setup == nil else {
            throw ConfigurationError(
                field: "cluster.setup", reason: "Bottlerocket has no shell: use a bootstrap container in a patch")
        }
        let settings = try ConfigPatch.apply(input.patches, to: ["settings": Self.settings(input, join)])
        do {
            return try settings.toml()
        } catch {
            throw ConfigurationError(field: "user data", reason: error.reason)
        }
    }

    private static func settings(_ input: InstallationInput, _ join: JoinMaterial.KubernetesJoin) -> ConfigValue {
        let (machine, dns) = (input.machine, input.machine.network?.dns)
        let labels = machine.labels.sorted { $0.key < $1.key }.map { ($0.key, ConfigValue.text($0.value)) }
        // One boot more: only then does the kernel have them.
        let kernel = machine.kernelArguments.reduce(into: ConfigMapping()) { arguments, argument in
            let values = arguments[argument.key]?.items ?? []
            arguments[argument.key] = .list(values + [.text(argument.value ?? "")])
        }
        return .present([
            ("network", ["hostname": .text(machine.hostname)]),
            (
                "dns",
                dns.flatMap { $0 == .init() ? nil : $0 }.map {
                    ["name-servers": .texts($0.servers.map(\.description)), "search-list": .texts($0.search)]
                }
            ),
            ("ntp", machine.network.flatMap { $0.ntp.isEmpty ? nil : ["time-servers": .texts($0.ntp)] }),
            (
                "boot",
                kernel.pairs.isEmpty
                    ? nil : ["reboot-to-reconcile": true, "kernel-parameters": .mapping(kernel)]
            ),
            (
                "host-containers",
                input.access.sshKeys.isEmpty
                    ? nil
                    : [
                        "admin": [
                            "enabled": true,
                            "user-data": .text(
                                Self.base64(
                                    (["ssh": ["authorized-keys": .texts(input.access.sshKeys)]] as ConfigValue).json)),
                        ]
                    ]
            ),
            (
                "kubernetes",
                .present([
                    ("api-server", .text(join.endpoint)),
                    ("cluster-certificate", .text(Self.base64(join.certificateAuthority))),
                    ("bootstrap-token", .text(join.token)), ("authentication-mode", "tls"), ("cloud-provider", ""),
                    ("cluster-dns-ip", input.release.parameters["cluster_dns_ip"].map { .text($0) }),
                    ("provider-id", .text(machine.providerID)),
                    ("node-labels", labels.isEmpty ? nil : .mapping(ConfigMapping(labels))),
                ])
            ),
        ])
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
}
