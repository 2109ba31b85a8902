import FoundationEssentials

/// A cluster that machines become nodes of.
public struct Cluster: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "cluster"

    public enum Flavor: String, Codable, Sendable, CaseIterable {
        /// The daemon itself keeps the registry of nodes.
        case standalone
        /// Joined as kubeadm joins: by a bootstrap token.
        case kubernetes
        /// Of k3s or RKE2.
        case k3s
        /// Of Talos machines, whose configuration says all.
        case talos
        /// Rancher's: machines register with its Elemental operator, which makes nodes of them.
        case rancher
    }

    public let id: String
    public let name: String
    public let flavor: Flavor
    /// Nil: none.
    public var labels: [String: String]?
    /// Nil: its machines are told nothing beside what its kind says.
    public var join: ClusterJoin?
    public let createdAt: Date

    public init(
        id: String, name: String, flavor: Flavor, labels: [String: String]? = nil, join: ClusterJoin? = nil,
        createdAt: Date
    ) {
        (self.id, self.name, self.flavor, self.labels) = (id, name, flavor, labels)
        (self.join, self.createdAt) = (join, createdAt)
    }

    /// The daemon sees its nodes itself. Of other clusters the installed system says that it joined.
    public var isSeen: Bool { flavor == .standalone }
}

/// A member of a standalone cluster.
public struct Node: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "node"

    /// Its name, which is its machine's host name.
    public let id: String
    public let cluster: String
    /// Id of the machine.
    public let machine: String
    public var osRelease: String
    public var kernel: String
    public var addresses: [String]
    /// Changes with every start of the installed system.
    public var bootID: String
    public let registeredAt: Date
    /// SHA-256 (hex) of the credential that its heartbeats carry.
    public let credentialHash: String
    public var ready: Bool
    public var readySince: Date
    /// Flushed to the store when readiness changes; between that it lives in memory.
    public var lastHeartbeat: Date
    /// Starts of the installed system seen since it registered, the first one included.
    public var boots: Int
    /// It was asked to leave its cluster.
    public var leaveAskedAt: Date?
    /// What keeps it there, in its own words; nil: it told nothing since it was asked.
    public var staysFor: String?
    /// It said that it takes no work any more, and has none.
    public var leftAt: Date?

    public init(
        id: String, cluster: String, machine: String, osRelease: String, kernel: String, addresses: [String],
        bootID: String, credentialHash: String, at now: Date
    ) {
        (self.id, self.cluster, self.machine, self.osRelease) = (id, cluster, machine, osRelease)
        (self.kernel, self.addresses, self.bootID, self.credentialHash) = (kernel, addresses, bootID, credentialHash)
        (registeredAt, readySince, lastHeartbeat, ready, boots) = (now, now, now, true, 1)
    }
}

/// What is kept of a node that left its cluster: enough to know its system again while its disk is not erased.
public struct FormerNode: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "former-node"

    /// The node's name.
    public let id: String
    /// Id of the machine.
    public let machine: String
    public let credentialHash: String

    public init(_ node: Node) { (id, machine, credentialHash) = (node.id, node.machine, node.credentialHash) }
}

/// A one-time right to register one machine as one node. Only the token's hash is kept.
public struct JoinToken: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "join-token"

    /// SHA-256 (hex) of the token.
    public let id: String
    public let cluster: String
    public let machine: String
    public let nodeName: String
    public let operation: String
    public let expiresAt: Date
    /// Hash of the credential that used it; a repeat with the same credential is the same registration.
    public var usedBy: String?

    public init(id: String, cluster: String, machine: String, nodeName: String, operation: String, expiresAt: Date) {
        (self.id, self.cluster, self.machine, self.nodeName) = (id, cluster, machine, nodeName)
        (self.operation, self.expiresAt) = (operation, expiresAt)
    }
}
