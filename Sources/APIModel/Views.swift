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
    /// Absent: a person sent it, with its digests.
    public var proof: ReleaseProof?
    /// Machines without kexec may start its installer from the network, by plain HTTP.
    public var allowsPlainHTTP: Bool?
    /// Its files are in the library, and their SHA-256 was checked.
    public var cached: Bool
    public var createdAt: Date

    public init(_ release: OSRelease, cached: Bool) {
        (id, name, os, version) = (release.id, release.name, release.os, release.version)
        (architecture, route, artifacts) = (release.architecture, release.route, release.artifacts)
        (parameters, minimumDiskBytes) = (release.parameters, release.minimumDiskBytes)
        allowsPlainHTTP = release.allowsPlainHTTP
        (self.cached, labels, proof, createdAt) = (cached, release.labels, release.proof, release.createdAt)
    }
}

/// `POST /api/v1/library/verify` and `/prune`: what was found of the image library's files, by SHA-256.
public struct LibraryReport: Codable, Sendable {
    /// They are what they were, or are needed.
    public var fine: [String] = []
    /// They were not, and are removed.
    public var damaged: [String] = []
    /// A release names them, and they are not there.
    public var missing: [String] = []
    /// No release names them.
    public var removed: [String] = []
    public var freedBytes: Int64 = 0

    public init(missing: [String] = []) { self.missing = missing }
}

/// A release on its way into the library: `GET /api/v1/release-fetches/{id}`.
public struct ReleaseFetchView: Codable, Sendable {
    public var id: String
    public var name: String
    public var state: ReleaseFetch.State
    public var files: [File]
    public var error: String?
    public var requestedBy: String
    public var createdAt: Date
    public var finishedAt: Date?

    public struct File: Codable, Sendable {
        public var role: ArtifactRole
        public var url: String
        public var bytes: Int64
        /// Absent: nobody said.
        public var total: Int64?
        public var done: Bool
    }

    public init(_ fetch: ReleaseFetch, progress: [ArtifactRole: (bytes: Int64, total: Int64?)]) {
        (id, name, state, error) = (fetch.id, fetch.name, fetch.state, fetch.error)
        (requestedBy, createdAt, finishedAt) = (fetch.requestedBy, fetch.createdAt, fetch.finishedAt)
        files = fetch.files.map { file in
            let so = progress[file.role]
            return File(
                role: file.role, url: file.url, bytes: file.artifact?.bytes ?? so?.bytes ?? 0,
                total: file.artifact?.bytes ?? so?.total, done: file.artifact != nil)
        }
    }
}

/// `GET /api/v1/operating-systems`: what Slipway can install, and how.
public struct OperatingSystemView: Codable, Sendable {
    /// The word in a release's `os`.
    public var name: String
    /// `supported`, or what became of it and what comes nearest.
    public var support: String
    public var architectures: [String]
    /// The best first.
    public var routes: [Route]
    /// What would say that a fetched release is its makers', for a person; absent: nothing is fetched of it.
    public var proof: String?

    public struct Route: Codable, Sendable {
        public var route: InstallRoute
        /// The files that a release has for it.
        public var artifacts: [ArtifactRole]
        /// How the system, or its installer, comes to run once the agent is done, in words.
        public var entry: String
        /// `installed`, `boot path` or `rendered`: how much of it the tests have seen at work.
        public var evidence: String
        /// Patches of clusters and machines mean something to it.
        public var takesPatches: Bool
        /// What a person should know before choosing it.
        public var remarks: [String]

        public init(
            _ route: InstallRoute, artifacts: [ArtifactRole], entry: String, evidence: String, takesPatches: Bool,
            remarks: [String]
        ) {
            self.entry = entry
            (self.route, self.artifacts, self.evidence) = (route, artifacts, evidence)
            (self.takesPatches, self.remarks) = (takesPatches, remarks)
        }
    }

    public init(name: String, support: String, architectures: [String], routes: [Route], proof: String?) {
        (self.name, self.support, self.proof) = (name, support, proof)
        (self.architectures, self.routes) = (architectures, routes)
    }
}

public struct ClusterView: Codable, Sendable {
    public var id: String
    public var name: String
    public var kind: Cluster.Flavor
    public var nodes: Int
    public var readyNodes: Int
    public var labels: [String: String]?
    /// What its machines are told; absent: nothing.
    public var join: Join?
    public var createdAt: Date

    public struct Join: Codable, Sendable {
        public var endpoint: String?
        public var version: String?
        public var certificateAuthority: String?
        public var sshKeys: [String]
        /// Which it has. They are told to nobody.
        public var secrets: [ClusterSecret]
    }

    public init(_ cluster: Cluster, nodes: [Node]) {
        (id, name, kind, createdAt) = (cluster.id, cluster.name, cluster.flavor, cluster.createdAt)
        (self.nodes, readyNodes, labels) = (nodes.count, nodes.count { $0.ready }, cluster.labels)
        join = cluster.join.map { join in
            Join(
                endpoint: join.endpoint, version: join.version, certificateAuthority: join.certificateAuthority,
                sshKeys: join.sshKeys, secrets: join.secrets.keys.sorted())
        }
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
