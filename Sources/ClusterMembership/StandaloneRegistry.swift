import FoundationEssentials
import Logging
import Machines
import Store
import Synchronization

/// The registry of a standalone cluster's nodes: who may join, who is there, whose heartbeats stopped.
public final class StandaloneRegistry: Sendable {
    /// Seconds between two heartbeats that nodes are asked for.
    public let heartbeatSeconds: Int
    let store: any RecordStore
    private let logger: Logger
    let now: @Sendable () -> Date
    private let startedAt: Date
    private let signs = Mutex(Signs())

    /// Signs of life by node name: soft state, relearnt within seconds after a start.
    private struct Signs {
        var heartbeats: [String: Date] = [:]
        /// Nodes whose silence is to be noticed, and since when they are silent; nil: the store was not asked yet.
        var awaited: [String: Date]?

        mutating func note(_ name: String, at now: Date) {
            heartbeats[name] = now
            awaited?[name] = now
        }
    }

    public init(store: any RecordStore, heartbeatSeconds: Int = 5, logger: Logger, now: @escaping @Sendable () -> Date)
    {
        (self.store, self.heartbeatSeconds, self.logger, self.now) = (store, heartbeatSeconds, logger, now)
        startedAt = now()
    }

    /// What a system that registers says of itself.
    public struct Registration: Sendable {
        public var token: String
        public var name: String
        public var machine: String
        public var osRelease: String
        public var credential: String
        public var bootID: String
        public var kernel: String
        public var addresses: [String]

        public init(
            token: String, name: String, machine: String, osRelease: String, credential: String, bootID: String,
            kernel: String, addresses: [String]
        ) {
            (self.token, self.name, self.machine, self.osRelease) = (token, name, machine, osRelease)
            (self.credential, self.bootID, self.kernel, self.addresses) = (credential, bootID, kernel, addresses)
        }
    }

    /// Admits the holder of a join token as the node that the token was made for. A repeat with the same credential is the
    /// same registration: a node whose answer was lost, or that was killed in between, asks again.
    /// - Throws: ``JoinRefusal``.
    public func register(_ registration: Registration) async throws -> Node {
        let now = now()
        let credential = Credential.hash(registration.credential)
        let node: Node = try await store.transaction { transaction in
            guard var token = try await transaction.get(JoinToken.self, Credential.hash(registration.token)) else {
                throw JoinRefusal.unknownToken
            }
            if let usedBy = token.usedBy {
                guard usedBy == credential, let node = try await transaction.get(Node.self, token.nodeName) else {
                    throw JoinRefusal.usedToken
                }
                return node
            }
            guard now < token.expiresAt else { throw JoinRefusal.expiredToken }
            guard registration.machine == token.machine, registration.name == token.nodeName else {
                throw JoinRefusal.otherMachine
            }
            let node = Node(
                id: token.nodeName, cluster: token.cluster, machine: token.machine, osRelease: registration.osRelease,
                kernel: registration.kernel, addresses: registration.addresses, bootID: registration.bootID,
                credentialHash: credential, at: now)
            // An earlier node of this machine is replaced; another machine's is not.
            if let former = try await transaction.get(Node.self, node.id), former.machine != node.machine {
                throw JoinRefusal.nameTaken(by: former.machine)
            }
            token.usedBy = credential
            try transaction.put(token)
            try transaction.put(node)
            transaction.delete(FormerNode.self, node.id)
            if let machine = try await transaction.get(Machine.self, node.machine) {
                // Written unchanged: its watchers look again, and a machine that was removed meanwhile makes no node.
                try transaction.put(machine)
            } else {
                throw JoinRefusal.otherMachine
            }
            try transaction.put(
                Event(
                    id: Credential.timeOrdered(at: now), time: now, type: .nodeRegistered, machine: node.machine,
                    actor: "node", message: "\(node.id) registered with cluster \(node.cluster)",
                    details: ["kernel": registration.kernel, "osRelease": registration.osRelease]))
            return node
        }
        signs.withLock { $0.note(node.id, at: now) }
        return node
    }

    /// Notes a sign of life. Writes only when something changed: a new start of the system, or readiness.
    /// - Parameter leaving: what keeps a node that was asked to leave, as it says.
    /// - Throws: ``JoinRefusal`` `unknownNode` for a wrong credential too, so that names cannot be probed.
    /// - Returns: the node is to leave its cluster. Also when it said that it has: the answer to that may have been lost.
    @discardableResult public func heartbeat(
        node name: String, credential: String, bootID: String, osRelease: String, leaving: String? = nil
    ) async throws -> Bool {
        let now = now()
        let known: Node
        do {
            known = try await node(name, credential)
        } catch {
            try await note(former: name, credential: credential)
            throw error
        }
        signs.withLock { $0.note(name, at: now) }
        let isToLeave = known.leaveAskedAt != nil
        let words = isToLeave ? leaving?.printable : nil
        let isNews = words != nil && words != known.staysFor
        guard isNews || known.bootID != bootID || !known.ready || known.osRelease != osRelease else { return isToLeave }
        try await store.transaction { transaction in
            guard var node = try await transaction.get(Node.self, name) else { return }
            try note(words, of: &node, in: transaction, at: now)
            guard node.bootID != bootID || !node.ready || node.osRelease != osRelease else { return }
            let restarted = node.bootID != bootID
            if restarted {
                node.bootID = bootID
                node.boots += 1
            }
            node.osRelease = osRelease
            node.lastHeartbeat = now
            try await set(
                &node, ready: true, restarted ? "heartbeats after a restart" : "heartbeats arrive again",
                in: transaction, at: now)
        }
        return isToLeave
    }

    func node(_ name: String, _ credential: String) async throws -> Node {
        guard let known = try await store.get(Node.self, name), known.credentialHash == Credential.hash(credential)
        else {
            throw JoinRefusal.unknownNode
        }
        return known
    }

    /// The last sign of life of a node, as far as this daemon saw one.
    public func lastHeartbeat(of name: String) -> Date? { signs.withLock { $0.heartbeats[name] } }

    /// Marks nodes not ready whose heartbeats stopped: three missed and a little. Asks the store only for those that are silent: with ten thousand
    /// nodes a look at each of them every second would be most of what the daemon does.
    public func checkHeartbeats() async throws {
        let now = now()
        let patience = Double(heartbeatSeconds) * 3 + 1
        if signs.withLock({ $0.awaited == nil }) {
            let ready = try await store.list(Node.self).items.filter(\.ready)
            signs.withLock { signs in
                let known = ready.map { ($0.id, max(signs.heartbeats[$0.id] ?? $0.lastHeartbeat, startedAt)) }
                // Whoever registered meanwhile has been heard.
                signs.awaited = Dictionary(known, uniquingKeysWith: { $1 }).merging(
                    signs.heartbeats, uniquingKeysWith: max)
            }
        }
        let silent = signs.withLock { $0.awaited?.filter { now.timeIntervalSince($0.value) > patience } ?? [:] }
        for (name, last) in silent {
            try await note(silent: name, heard: lastHeartbeat(of: name) ?? .distantPast, at: now)
            // A heartbeat that came meanwhile counts.
            signs.withLock { if $0.awaited?[name] == last { $0.awaited?[name] = nil } }
        }
    }

    private func note(silent name: String, heard: Date, at now: Date) async throws {
        let machine: String? = try await store.transaction { transaction in
            guard var node = try await transaction.get(Node.self, name), node.ready else { return nil }
            // Not since this daemon began, which is how long it waited: since it was heard.
            node.lastHeartbeat = max(node.lastHeartbeat, heard)
            try await set(
                &node, ready: false, "no heartbeat since \(node.lastHeartbeat.formatted(.iso8601))", in: transaction,
                at: now)
            return node.machine
        }
        guard let machine else { return }
        logger.warning("node is silent", metadata: ["node": "\(name)", "machine.id": "\(machine)"])
    }

    private func set(_ node: inout Node, ready: Bool, _ reason: String, in transaction: Transaction, at now: Date)
        async throws
    {
        if node.ready != ready { node.readySince = now }
        node.ready = ready
        try transaction.put(node)
        if var machine = try await transaction.get(Machine.self, node.machine), machine.observed.node == node.id {
            machine.set(.nodeReady, ready, reason, at: now)
            machine.updatedAt = now
            try transaction.put(machine)
        }
        try transaction.put(
            Event(
                id: Credential.timeOrdered(at: now), time: now, type: .nodeReady, machine: node.machine, actor: "node",
                message: "\(node.id): \(reason)", details: ["ready": "\(ready)", "boots": "\(node.boots)"]))
    }
}

/// Why a system is not admitted.
public enum JoinRefusal: Error, Equatable, CustomStringConvertible {
    case unknownToken
    case usedToken
    case expiredToken
    case otherMachine
    case nameTaken(by: String)
    case unknownNode

    public var description: String {
        switch self {
        case .unknownToken: "the join token is unknown; a newer install of this machine replaced it"
        case .usedToken: "the join token was used already, by another system"
        case .expiredToken: "the join token has expired; provision the machine again"
        case .otherMachine: "the join token was made for another machine"
        case .nameTaken(let machine): "a node of this name belongs to machine \(machine)"
        case .unknownNode: "no node has this name and credential"
        }
    }
}
