import Crypto
import FoundationEssentials

/// What the machines of a cluster are told so that they join it.
public struct ClusterJoin: Codable, Equatable, Sendable {
    /// `https://HOST:6443` of its API server; of k3s and RKE2 that of one of their servers.
    public var endpoint: String?
    /// Of Kubernetes, such as `1.31.4`.
    public var version: String?
    /// PEM of the cluster's own CA.
    public var certificateAuthority: String?
    /// Who may log in to its machines: lines as `authorized_keys` has them.
    public var sshKeys: [String] = []
    /// Sealed.
    public private(set) var secrets: [ClusterSecret: Secret] = [:]

    public init() {}

    /// Changes what the settings name.
    /// - Parameter cluster: id of the cluster that it belongs to: what is sealed opens there only.
    public mutating func apply(_ settings: ClusterSettings, of cluster: String, key: SymmetricKey) throws {
        func chosen(_ new: String?, _ old: String?) -> String? { new.map { $0.isEmpty ? nil : $0 } ?? old }
        endpoint = chosen(settings.endpoint, endpoint)
        version = chosen(settings.version, version)
        certificateAuthority = chosen(settings.certificateAuthority, certificateAuthority)
        sshKeys = settings.sshKeys ?? sshKeys
        for (name, text) in settings.secrets ?? [:] {
            // The same text sealed again would look like a change.
            guard let text else {
                secrets[name] = nil
                continue
            }
            if try self.text(of: name, key: key) == text { continue }
            secrets[name] = try Secret(id: "cluster/\(cluster)/\(name.rawValue)", text: text, key: key)
        }
    }

    /// - Returns: nil when the cluster has none.
    public func text(of name: ClusterSecret, key: SymmetricKey) throws -> String? {
        try secrets[name]?.open(with: key)
    }
}

/// What of a cluster is sealed at rest, goes to machines that join it, and is told to nobody else.
public enum ClusterSecret: String, Codable, Sendable, CaseIterable, CodingKeyRepresentable, Comparable {
    /// A bootstrap token of Kubernetes, `ID.SECRET`, or the token of k3s and RKE2.
    case token
    /// The key of the certificates that `kubeadm init phase upload-certs` left: what a control plane needs.
    case certificateKey = "certificate-key"
    /// Of Talos: the configuration that `talosctl gen config` made for workers.
    case worker
    /// Of Talos: that of control planes.
    case controlPlane = "control-plane"
    /// Of Rancher: what the URL of a MachineRegistration answers.
    case registration
    /// Commands for `/bin/sh`, run once as root before a machine joins.
    case setup
    /// Changes of the system's own configuration, for systems that know such.
    case patch

    public static func < (one: Self, other: Self) -> Bool { one.rawValue < other.rawValue }
}

/// A change of ``ClusterJoin``: what is absent stays, an empty text goes.
public struct ClusterSettings: Codable, Equatable, Sendable {
    public var endpoint: String?
    public var version: String?
    public var certificateAuthority: String?
    public var sshKeys: [String]?
    /// In plain text; null takes one away.
    public var secrets: [ClusterSecret: String?]?

    public init(
        endpoint: String? = nil, version: String? = nil, certificateAuthority: String? = nil, sshKeys: [String]? = nil,
        secrets: [ClusterSecret: String?]? = nil
    ) {
        (self.endpoint, self.version, self.certificateAuthority) = (endpoint, version, certificateAuthority)
        (self.sshKeys, self.secrets) = (sshKeys, secrets)
    }
}
