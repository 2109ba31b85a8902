import ConfigDocuments
import Machines

/// What turns a Linux with systemd into a node, as files and services: the same for every system that has no way of its own.
struct NodeSetup: Equatable {
    struct File: Equatable {
        var path: String
        var mode: UInt32
        var content: String
    }

    /// A service that is started with each boot.
    struct Unit: Equatable {
        var name: String
        var content: String
    }

    /// Where most systems keep it, readable by root only.
    static let usualFolder = "/etc/slipway"

    var files: [File] = []
    var units: [Unit] = []
    /// It has to survive a restart.
    let folder: String

    /// - Parameter own: a command that ends well once the system's own k3s or RKE2 runs; nil: the system has none that starts by itself.
    /// - Throws: ``ConfigurationError`` when the cluster's kind wants more than the input has.
    init(
        _ input: InstallationInput, in folder: String = usualFolder, own: String? = nil
    ) throws(ConfigurationError) {
        self.folder = folder
        files.append(File(path: "\(folder)/ca.pem", mode: 0o600, content: input.callback.certificateAuthority))
        if let setup = input.setup {
            files.append(
                File(path: "\(folder)/setup", mode: 0o700, content: setup.hasSuffix("\n") ? setup : setup + "\n"))
        }
        let join = try self.join(input, own: own)
        files.append(File(path: "\(folder)/join", mode: 0o700, content: script(join, input)))
        units.append(unit)
    }

    /// Once: what was done stays done, and what failed is tried again from its beginning.
    private func script(_ join: String, _ input: InstallationInput) -> String {
        """
        #!/bin/sh
        # Makes this machine a node, once. What fails is tried again.
        set -eu
        cd \(folder)
        report() {
            curl --disable --silent --show-error --proto =https --noproxy '*' --cacert ca.pem --max-time 30 --retry 5 \\
                --request POST --output /dev/null "$1"
        }
        if [ ! -e reported ]; then
            report \(ShellText.quoted(input.callback.url(.firstBoot))) || true
            : >reported
        fi
        if [ -e setup ] && [ ! -e setup.done ]; then
            /bin/sh ./setup
            : >setup.done
        fi
        if [ ! -e joined ]; then
            \(join)
            : >joined
        fi
        \(told(input))# What it joined with is worth nothing any more, and is not left lying about.
        rm -f join.yaml setup join

        """
    }

    /// A standalone cluster sees the node itself.
    private func told(_ input: InstallationInput) -> String {
        if case .standalone = input.join { return "" }
        return "report \(ShellText.quoted(input.callback.url(.joined)))\n"
    }

    private var unit: Unit {
        Unit(
            name: "slipway-join.service",
            content: """
                [Unit]
                Description=Make this machine a node of its cluster
                Wants=network-online.target
                After=network-online.target
                ConditionPathExists=\(folder)/join

                [Service]
                Type=oneshot
                RemainAfterExit=yes
                ExecStart=/bin/sh \(folder)/join
                Restart=on-failure
                RestartSec=10
                TimeoutStartSec=infinity

                [Install]
                WantedBy=multi-user.target

                """)
    }

    /// Adds what the way of joining needs, and tells the command.
    private mutating func join(_ input: InstallationInput, own: String?) throws(ConfigurationError) -> String {
        switch input.join {
        case .standalone(let join):
            let settings = [
                ("HOSTNAME", input.machine.hostname), ("MACHINE_ID", input.machine.id), ("CLUSTER", input.cluster),
                ("OS_RELEASE", input.release.name), ("SERVER", join.server), ("JOIN_TOKEN", join.token),
            ]
            let program = NodeProgram(folder: folder)
            files.append(File(path: program.path, mode: 0o700, content: program.text))
            files.append(
                File(
                    path: program.settings, mode: 0o600,
                    content: settings.map { "\($0)=\(ShellText.quoted($1))\n" }.joined()))
            units.append(program.unit)
            return ":"
        case .kubernetes(let join):
            files.append(
                File(
                    path: "\(folder)/join.yaml", mode: 0o600,
                    content: try KubeadmJoin.document(join, input.machine).yaml))
            return "kubeadm join --config join.yaml"
        case .talos:
            throw ConfigurationError(
                field: "cluster", reason: "it is a cluster of Talos machines, which no other system joins")
        case .rancher:
            guard let own else {
                throw ConfigurationError(
                    field: "cluster",
                    reason: "its machines register with Rancher, which Elemental does and no other system")
            }
            return own
        case .k3s(let join):
            if let own { return own }
            files.append(
                File(
                    path: "/etc/rancher/k3s/config.yaml", mode: 0o600,
                    content: K3sSettings.document(join, input.machine).yaml))
            let kind = input.machine.role == .controlPlane ? "server" : "agent"
            return "systemctl enable --now \(kind == "server" ? "k3s" : "k3s-agent").service"
        }
    }
}

extension NodeSetup {
    /// The system itself, or Rancher's agent, starts one of these; the machine is a member once it runs.
    static let waitForK3s =
        "until systemctl is-active --quiet k3s.service k3s-agent.service rke2-server.service rke2-agent.service; do sleep 10; done"
}

/// The settings of a k3s or RKE2 node. https://docs.k3s.io/installation/configuration
enum K3sSettings {
    static func document(_ join: JoinMaterial.K3sJoin, _ machine: TargetMachine) -> ConfigValue {
        let labels = machine.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        return .present([
            ("server", .text(join.server)), ("token", .text(join.token)), ("node-name", .text(machine.hostname)),
            ("node-label", labels.isEmpty ? nil : .texts(labels)),
            ("kubelet-arg", .texts(["provider-id=\(machine.providerID)"])),
        ])
    }
}

/// What `kubeadm join --config` reads. https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/
enum KubeadmJoin {
    static func document(
        _ join: JoinMaterial.KubernetesJoin, _ machine: TargetMachine
    ) throws(ConfigurationError) -> ConfigValue {
        let labels = machine.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
        let arguments = [("provider-id", machine.providerID)] + (labels.isEmpty ? [] : [("node-labels", labels)])
        // The fourth version has a list where the third has a mapping; kubeadm reads the third until 1.35.
        let isFourth = try KubernetesVersion(join.version).minor >= 31
        let extra: ConfigValue =
            isFourth
            ? .list(arguments.map { ["name": .text($0), "value": .text($1)] })
            : .mapping(ConfigMapping(arguments.map { ($0, .text($1)) }))
        var controlPlane: ConfigValue?
        if machine.role == .controlPlane {
            guard let key = join.certificateKey else {
                throw ConfigurationError(
                    field: "cluster",
                    reason:
                        "a control plane joins with the key of the cluster's uploaded certificates, and the cluster has none"
                )
            }
            controlPlane = ["certificateKey": .text(key)]
        }
        let endpoint = join.endpoint.hasPrefix("https://") ? String(join.endpoint.dropFirst(8)) : join.endpoint
        return .present([
            ("apiVersion", .text("kubeadm.k8s.io/v1beta\(isFourth ? 4 : 3)")), ("kind", "JoinConfiguration"),
            (
                "discovery",
                [
                    "bootstrapToken": [
                        "apiServerEndpoint": .text(endpoint), "token": .text(join.token),
                        "caCertHashes": [.text(join.certificateAuthorityHash)],
                    ]
                ]
            ),
            ("nodeRegistration", ["name": .text(machine.hostname), "kubeletExtraArgs": extra]),
            ("controlPlane", controlPlane),
        ])
    }
}

/// A version of Kubernetes, as far as joining depends on it.
public struct KubernetesVersion: Equatable, Sendable {
    public var minor: Int

    /// Reads `1.31.4`, `v1.31`.
    /// - Throws: ``ConfigurationError``.
    public init(_ text: String) throws(ConfigurationError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte) || ".+-".utf8.contains(byte)
        }
        guard isPlain, parts.count >= 2, parts[0] == "1" || parts[0] == "v1", let minor = Int(parts[1]) else {
            throw ConfigurationError(
                field: "version", reason: "\(text.debugDescription) is not a version of Kubernetes such as 1.31.4")
        }
        self.minor = minor
    }
}
