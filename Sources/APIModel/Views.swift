import FoundationEssentials
import Machines
import NetworkAddresses

/// A collection or a page of it. `revision` is where a watch goes on from it; of several pages the first one's.
public struct ListView<Item: Codable & Sendable>: Codable, Sendable {
    public var items: [Item]
    public var revision: Int64
    /// `?after=` this has the next page; nil: this was the last.
    public var next: String?

    public init(items: [Item], revision: Int64, next: String? = nil) {
        (self.items, self.revision, self.next) = (items, revision, next)
    }
}

public struct OSReleaseView: Codable, Sendable {
    public var id: String
    public var name: String
    public var os: String
    public var version: String
    public var architecture: String
    public var route: InstallRoute
    public var artifacts: [ArtifactRole: Artifact]
    public var parameters: [String: String]
    public var minimumDiskBytes: Int64
    public var labels: [String: String]?
    /// Its files are in the library, and their SHA-256 was checked.
    public var cached: Bool
    public var createdAt: Date

    public init(_ release: OSRelease, cached: Bool) {
        (id, name, os, version) = (release.id, release.name, release.os, release.version)
        (architecture, route, artifacts) = (release.architecture, release.route, release.artifacts)
        (parameters, minimumDiskBytes) = (release.parameters, release.minimumDiskBytes)
        (self.cached, labels, createdAt) = (cached, release.labels, release.createdAt)
    }
}

public struct ClusterView: Codable, Sendable {
    public var id: String
    public var name: String
    public var kind: Cluster.Flavor
    public var nodes: Int
    public var readyNodes: Int
    public var labels: [String: String]?
    public var createdAt: Date

    public init(_ cluster: Cluster, nodes: [Node]) {
        (id, name, kind, createdAt) = (cluster.id, cluster.name, cluster.flavor, cluster.createdAt)
        (self.nodes, readyNodes, labels) = (nodes.count, nodes.count { $0.ready }, cluster.labels)
    }
}

public struct NodeView: Codable, Sendable {
    public var name: String
    public var cluster: String
    /// Id of the machine.
    public var machine: String
    public var ready: Bool
    public var osRelease: String
    public var kernel: String
    public var addresses: [String]
    public var bootID: String
    /// Starts of the installed system seen since it registered, the first one included.
    public var boots: Int
    public var registeredAt: Date
    public var lastHeartbeat: Date

    public init(_ node: Node, lastHeartbeat: Date?) {
        (name, cluster, machine, ready) = (node.id, node.cluster, node.machine, node.ready)
        (osRelease, kernel, addresses, bootID) = (node.osRelease, node.kernel, node.addresses, node.bootID)
        (boots, registeredAt) = (node.boots, node.registeredAt)
        self.lastHeartbeat = lastHeartbeat ?? node.lastHeartbeat
    }
}

public struct EventView: Codable, Sendable {
    public var id: String
    public var time: Date
    public var type: Event.Kind
    public var machine: String?
    public var mac: MACAddress?
    public var actor: String
    public var message: String
    public var details: [String: String]

    public init(_ event: Event) {
        (id, time, type, machine, mac) = (event.id, event.time, event.type, event.machine, event.mac)
        (actor, message, details) = (event.actor, event.message, event.details)
    }
}

/// RFC 9457, `application/problem+json`.
public struct ProblemView: Codable, Error, Sendable {
    public var type: String
    public var title: String
    public var status: Int
    public var detail: String
    /// The field of the request that is wrong.
    public var field: String?

    public init(type: String = "about:blank", title: String, status: Int, detail: String, field: String? = nil) {
        (self.type, self.title, self.status, self.detail, self.field) = (type, title, status, detail, field)
    }
}

/// `GET /api/v1/version`.
public struct VersionView: Codable, Sendable {
    public var version: String

    public init(version: String) { self.version = version }
}
