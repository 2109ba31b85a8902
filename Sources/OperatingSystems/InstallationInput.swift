import Inventory
import Machines
import NetworkAddresses

/// All that an installation is made of. The same input gives the same files, byte for byte.
public struct InstallationInput: Sendable {
    public var machine: TargetMachine
    public var release: TargetRelease
    /// Name of the cluster.
    public var cluster: String
    public var join: JoinMaterial
    /// Where the system and its installer say how far they are.
    public var callback: Callback
    public var access: AdministratorAccess
    /// A person's own commands, run by `/bin/sh` once as root before the system joins, such as for installing a kubelet.
    public var setup: String?
    /// Changes of the system's own configuration, for systems that know such: of the cluster, then of the machine.
    public var patches: [String]

    public init(
        machine: TargetMachine, release: TargetRelease, cluster: String, join: JoinMaterial, callback: Callback,
        access: AdministratorAccess = .init(), setup: String? = nil,
        patches: [String] = []
    ) {
        self.patches = patches
        (self.machine, self.release, self.cluster, self.join) = (machine, release, cluster, join)
        (self.callback, self.access, self.setup) = (callback, access, setup)
    }
}

/// The machine that is installed.
public struct TargetMachine: Sendable {
    public var id: String
    public var hostname: String
    public var role: Machine.NodeRole
    /// `amd64`, `arm64`.
    public var architecture: String
    public var isUEFI: Bool
    /// Its firmware starts signed programs only, and the agent's kernel enters signed kernels only.
    public var isSecureBoot = false
    /// The one disk that the system may have, as the agent reported it.
    public var disk: Disk
    /// Nil: DHCP.
    public var network: SystemNetwork?
    /// The port that it booted from.
    public var bootMAC: MACAddress?
    /// Of its hardware profile: consoles first.
    public var kernelArguments: [KernelArgument]
    /// Become labels of the node where the cluster has such.
    public var labels: [String: String]

    public init(
        id: String, hostname: String, role: Machine.NodeRole = .worker, architecture: String = "amd64",
        isUEFI: Bool = true, disk: Disk, network: SystemNetwork? = nil, bootMAC: MACAddress? = nil,
        kernelArguments: [KernelArgument] = [], labels: [String: String] = [:]
    ) {
        (self.id, self.hostname, self.role, self.architecture) = (id, hostname, role, architecture)
        (self.isUEFI, self.disk, self.network, self.bootMAC) = (isUEFI, disk, network, bootMAC)
        (self.kernelArguments, self.labels) = (kernelArguments, labels)
    }

    /// What a node says of itself to a Kubernetes cluster.
    public var providerID: String { "slipway://\(id)" }

    /// The same disk at every start: `/dev/disk/by-id/…` where it has such a name, else the path that the kernel gave it.
    public var stableDiskPath: String {
        disk.names.first.map { "/dev/disk/by-id/\($0)" } ?? disk.path
    }
}

/// What is installed.
public struct TargetRelease: Sendable {
    public var name: String
    public var version: String
    /// Where machines fetch its files.
    public var urls: [ArtifactRole: String]
    /// SHA-256 of each, 64 hex digits.
    public var digests: [ArtifactRole: String]
    /// The driver's own settings, by their names.
    public var parameters: [String: String]

    public init(
        name: String, version: String, urls: [ArtifactRole: String] = [:], digests: [ArtifactRole: String] = [:],
        parameters: [String: String] = [:]
    ) {
        (self.name, self.version, self.urls) = (name, version, urls)
        (self.digests, self.parameters) = (digests, parameters)
    }

    /// - Throws: ``ConfigurationError`` when the release does not have the file.
    func digest(_ role: ArtifactRole) throws(ConfigurationError) -> String {
        guard let digest = digests[role] else {
            throw ConfigurationError(field: "release", reason: "\(name) has no \(role.rawValue)")
        }
        return digest
    }

    /// - Throws: ``ConfigurationError`` when the release does not have the file.
    func url(_ role: ArtifactRole) throws(ConfigurationError) -> String {
        guard let url = urls[role] else {
            throw ConfigurationError(field: "release", reason: "\(name) has no \(role.rawValue)")
        }
        return url
    }
}

/// What a system is told so that it becomes a node. All of it is secret.
public enum JoinMaterial: Sendable {
    case standalone(StandaloneJoin)
    case kubernetes(KubernetesJoin)
    case k3s(K3sJoin)
    case talos(TalosJoin)
    /// By Rancher's Elemental operator: what its registration URL answers, in YAML.
    case rancher(registration: String)

    /// A member of the daemon's own registry.
    public struct StandaloneJoin: Sendable {
        /// `https://…` of the daemon as machines reach it.
        public var server: String
        /// PEM of the installation's CA.
        public var certificateAuthority: String
        public var token: String

        public init(server: String, certificateAuthority: String, token: String) {
            (self.server, self.certificateAuthority, self.token) = (server, certificateAuthority, token)
        }
    }

    /// By `kubeadm join`, or by a system that does the same.
    public struct KubernetesJoin: Sendable {
        /// `https://HOST:6443`.
        public var endpoint: String
        /// PEM of the cluster's CA.
        public var certificateAuthority: String
        /// `sha256:…` of the CA's public key, as kubeadm pins it.
        public var certificateAuthorityHash: String
        /// A bootstrap token: `ID.SECRET`.
        public var token: String
        /// Such as `1.31.4`.
        public var version: String
        /// Of `kubeadm init phase upload-certs`; what a control plane needs.
        public var certificateKey: String?

        public init(
            endpoint: String, certificateAuthority: String, certificateAuthorityHash: String, token: String,
            version: String, certificateKey: String? = nil
        ) {
            (self.endpoint, self.certificateAuthority) = (endpoint, certificateAuthority)
            (self.certificateAuthorityHash, self.token) = (certificateAuthorityHash, token)
            (self.version, self.certificateKey) = (version, certificateKey)
        }
    }

    /// A cluster of Talos machines.
    public struct TalosJoin: Sendable {
        /// What `talosctl gen config` made for the machine's role: YAML, of one document or several.
        public var config: String

        public init(config: String) { self.config = config }
    }

    /// A server of k3s, RKE2 or what is built of them.
    public struct K3sJoin: Sendable {
        /// `https://HOST:6443`; RKE2: `:9345`.
        public var server: String
        public var token: String

        public init(server: String, token: String) { (self.server, self.token) = (server, token) }
    }
}

/// Where progress of one installation is told.
public struct Callback: Sendable {
    /// `https://HOST:PORT/api/v1/installations/TOKEN`; what happened comes after it. A secret.
    public var url: String
    /// PEM of the CA that the daemon is known by.
    public var certificateAuthority: String
    /// `HOST:PORT` where Talos machines send their events; nil: nobody listens.
    public var eventSink: String?

    public init(url: String, certificateAuthority: String, eventSink: String? = nil) {
        (self.url, self.certificateAuthority, self.eventSink) = (url, certificateAuthority, eventSink)
    }

    /// Where a file of this installation is fetched, such as a configuration.
    public func url(file name: String) -> String { "\(url)/files/\(name)" }

    public func url(_ news: InstallationNews) -> String { "\(url)/\(news.rawValue)" }
}

/// Who may log in to the installed system.
public struct AdministratorAccess: Sendable {
    /// Lines as `authorized_keys` has them.
    public var sshKeys: [String]

    public init(sshKeys: [String] = []) { self.sshKeys = sshKeys }
}
