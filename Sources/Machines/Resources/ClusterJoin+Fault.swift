import FoundationEssentials

/// A setting of a cluster that cannot be, or that is missing.
public struct ClusterFault: Equatable, Sendable {
    public var field: String
    public var reason: String

    public init(_ field: String, _ reason: String) { (self.field, self.reason) = (field, reason) }
}

extension Cluster.Flavor {
    /// Without these nobody joins it. A Talos cluster needs one of its two configurations.
    var needed: Set<ClusterSecret> {
        switch self {
        case .standalone, .talos: []
        case .kubernetes, .k3s: [.token]
        case .rancher: [.registration]
        }
    }

    var possible: Set<ClusterSecret> {
        switch self {
        case .standalone: [.setup, .patch]
        case .kubernetes: [.token, .certificateKey, .setup, .patch]
        case .k3s: [.token, .setup, .patch]
        case .talos: [.worker, .controlPlane, .patch]
        case .rancher: [.registration, .setup, .patch]
        }
    }
}

extension ClusterSettings {
    /// Bytes of one secret: a setup script or a Talos configuration.
    static let longest = 256 << 10

    /// What is wrong with the values by themselves; nil: nothing.
    public func fault() -> ClusterFault? {
        if let endpoint, !endpoint.isEmpty, !Self.isServer(endpoint) {
            return ClusterFault("endpoint", "\(endpoint.debugDescription) is not https://HOST:PORT")
        }
        let keys = sshKeys ?? []
        if keys.count > 100 || keys.contains(where: { $0.utf8.count > 4096 || !PlainText.isPlain($0) || $0.isEmpty }) {
            return ClusterFault("sshKeys", "at most 100 keys of one line each, as authorized_keys has them")
        }
        for (name, text) in (secrets ?? [:]).sorted(by: { $0.key < $1.key }) {
            if let text, let reason = Self.fault(of: name, text) {
                return ClusterFault("secrets.\(name.rawValue)", reason)
            }
        }
        return nil
    }

    /// Says nothing of what is in it.
    private static func fault(of name: ClusterSecret, _ text: String) -> String? {
        guard !text.isEmpty, text.utf8.count <= longest else { return "it has 1 to \(longest >> 10) KiB" }
        switch name {
        case .token, .certificateKey:
            let isPrintable = text.utf8.allSatisfy { (0x21...0x7e).contains($0) }
            return isPrintable && text.utf8.count <= 1024 ? nil : "it is one word of at most 1024 characters"
        case .worker, .controlPlane, .registration, .setup, .patch:
            return text.utf8.contains(0) ? "it is a text, and has a NUL in it" : nil
        }
    }

    /// `https://` with a host and perhaps a port, and no more.
    private static func isServer(_ text: String) -> Bool {
        guard text.hasPrefix("https://"), text.utf8.count <= 300 else { return false }
        let rest = text.utf8.dropFirst(8)
        return !rest.isEmpty
            && rest.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                    || ".-:[]".utf8.contains(byte)
            }
    }
}

extension ClusterJoin {
    /// What a cluster of that kind is missing, or cannot have; nil: nothing.
    public func fault(for flavor: Cluster.Flavor) -> ClusterFault? {
        let present = Set(secrets.keys)
        if let name = flavor.needed.subtracting(present).sorted().first {
            return ClusterFault(
                "secrets.\(name.rawValue)", "machines join a \(flavor.rawValue) cluster with its \(name.rawValue)")
        }
        if let name = present.subtracting(flavor.possible).sorted().first {
            return ClusterFault("secrets.\(name.rawValue)", "a \(flavor.rawValue) cluster has no \(name.rawValue)")
        }
        switch flavor {
        case .standalone:
            if endpoint != nil { return ClusterFault("endpoint", "a standalone cluster is the daemon's own") }
        case .talos:
            guard !present.isDisjoint(with: [.worker, .controlPlane]) else {
                return ClusterFault(
                    "secrets.worker",
                    "machines join a Talos cluster with its configuration for workers or control planes")
            }
            if endpoint != nil { return ClusterFault("endpoint", "it stands in the configuration of Talos") }
            if !sshKeys.isEmpty { return ClusterFault("sshKeys", "nobody logs in to a Talos machine") }
        case .rancher:
            if endpoint != nil { return ClusterFault("endpoint", "it stands in the registration") }
        case .kubernetes, .k3s:
            guard endpoint != nil else {
                return ClusterFault("endpoint", "machines have to be told where the cluster is: https://HOST:PORT")
            }
            guard flavor == .k3s || version != nil else {
                return ClusterFault("version", "machines have to be told the version of Kubernetes, such as 1.31.4")
            }
            guard flavor == .k3s || certificateAuthority != nil else {
                return ClusterFault("certificateAuthority", "machines know the cluster by its CA")
            }
        }
        return nil
    }
}
