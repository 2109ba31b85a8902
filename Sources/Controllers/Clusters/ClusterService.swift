import Crypto
import FoundationEssentials
import Machines
import OperatingSystems
import Store

/// Clusters, and what their machines are told.
public struct ClusterService: Sendable {
    let store: any RecordStore
    /// Opens what is sealed at rest.
    let key: SymmetricKey
    let now: @Sendable () -> Date

    /// - Throws: ``ServiceError`` `notFound`.
    public func cluster(named name: String) async throws -> Cluster {
        guard let cluster = try await store.list(Cluster.self).items.first(where: { $0.name == name }) else {
            throw Self.unknown(name)
        }
        return cluster
    }

    /// Adds a cluster. The same again is no error, so that a script can be repeated.
    public func add(
        _ name: String, _ flavor: Cluster.Flavor, _ settings: ClusterSettings, labels: [String: String]?,
        by actor: String
    ) async throws -> Cluster {
        try CatalogService.check(name: name)
        try CatalogService.check(labels: labels)
        if let known = try await store.list(Cluster.self).items.first(where: { $0.name == name }) {
            guard known.flavor == flavor else {
                throw ServiceError(
                    .conflict, "the cluster \(name) exists and is \(known.flavor.rawValue)", field: "name")
            }
            guard try changed(known, settings) == known else {
                throw ServiceError(
                    .conflict, "the cluster \(name) exists, with other settings; change it with `slipway cluster set`",
                    field: "name")
            }
            return known
        }
        let cluster = try changed(
            Cluster(
                id: Credential.identifier("c"), name: name, flavor: flavor, labels: labels, createdAt: now()), settings)
        return try await store.transaction { transaction in
            try transaction.put(cluster)
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor, "cluster \(name) added",
                    details: Self.details(cluster),
                    at: now()))
            return cluster
        }
    }

    /// Changes what the machines of a cluster are told from their next installation on.
    public func change(_ name: String, _ settings: ClusterSettings, by actor: String) async throws -> Cluster {
        let id = try await cluster(named: name).id
        return try await store.transaction { transaction in
            guard let known = try await transaction.get(Cluster.self, id) else { throw Self.unknown(name) }
            let cluster = try changed(known, settings)
            guard cluster != known else { return known }
            try transaction.put(cluster)
            try transaction.put(
                Event.now(
                    .resourceChanged, machine: nil, actor: actor,
                    "cluster \(name): \(Self.words(settings)), from the next installation on",
                    details: Self.details(cluster), at: now()))
            return cluster
        }
    }

    /// Removes a cluster that no machine is or is to be a node of.
    public func remove(_ name: String, by actor: String) async throws {
        let id = try await cluster(named: name).id
        let users = try await store.compactMap(Machine.self) { $0.desired.assignment?.cluster == name ? $0.name : nil }
        let nodes = try await store.compactMap(Node.self) { $0.cluster == name ? $0.id : nil }
        try CatalogService.refuse(users + nodes, "the cluster \(name)")
        try await store.transaction { transaction in
            guard try await transaction.get(Cluster.self, id) != nil else { return }
            transaction.delete(Cluster.self, id)
            try transaction.put(
                Event.now(.resourceChanged, machine: nil, actor: actor, "cluster \(name) removed", at: now()))
        }
    }

    /// The cluster with these settings, if all of them can be.
    private func changed(_ cluster: Cluster, _ settings: ClusterSettings) throws -> Cluster {
        if let fault = settings.fault() { throw Self.refusal(fault) }
        var join = cluster.join ?? ClusterJoin()
        try join.apply(settings, of: cluster.id, key: key)
        if let fault = join.fault(for: cluster.flavor) { throw Self.refusal(fault) }
        if settings != ClusterSettings() { try check(join) }
        var changed = cluster
        changed.join = join == ClusterJoin() ? nil : join
        return changed
    }

    /// What only its readers know to be wrong.
    private func check(_ join: ClusterJoin) throws {
        if let pem = join.certificateAuthority {
            guard (try? ClusterAuthority.pin(of: pem)) != nil else {
                throw ServiceError(.invalid, "this is no certificate in PEM", field: "certificateAuthority")
            }
        }
        do {
            if let version = join.version { _ = try KubernetesVersion(version) }
            let configurations: [(ClusterSecret, Machine.NodeRole)] = [
                (.worker, .worker), (.controlPlane, .controlPlane),
            ]
            for (name, role) in configurations {
                guard let text = try join.text(of: name, key: key) else { continue }
                do {
                    try Talos.check(configuration: text, of: role)
                } catch {
                    throw ServiceError(.invalid, error.reason, field: "secrets.\(name.rawValue)")
                }
            }
        } catch let error as ConfigurationError {
            throw ServiceError(.invalid, error.reason, field: error.field)
        }
    }

    private static func refusal(_ fault: ClusterFault) -> ServiceError {
        ServiceError(.invalid, fault.reason, field: fault.field)
    }

    private static func unknown(_ name: String) -> ServiceError {
        ServiceError(.notFound, "there is no cluster \(name.debugDescription); see `slipway cluster list`")
    }

    /// Which settings were given, and no value of any.
    private static func words(_ settings: ClusterSettings) -> String {
        var words: [String] = []
        if let endpoint = settings.endpoint { words.append("endpoint \(endpoint.isEmpty ? "none" : endpoint)") }
        if let version = settings.version { words.append("version \(version.isEmpty ? "none" : version)") }
        if settings.certificateAuthority != nil { words.append("CA changed") }
        if settings.sshKeys != nil { words.append("SSH keys changed") }
        for (name, text) in (settings.secrets ?? [:]).sorted(by: { $0.key < $1.key }) {
            words.append("\(name.rawValue) \(text == nil ? "removed" : "changed")")
        }
        return words.joined(separator: ", ")
    }

    private static func details(_ cluster: Cluster) -> [String: String] {
        let secrets = (cluster.join?.secrets.keys.sorted() ?? []).map(\.rawValue).joined(separator: ",")
        return ["kind": cluster.flavor.rawValue].merging(secrets.isEmpty ? [:] : ["secrets": secrets]) { $1 }
    }
}
