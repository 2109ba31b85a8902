import FoundationEssentials
import Machines
import Store

/// How nodes of a standalone cluster leave it: they are asked in the answer to a heartbeat, end their work by a hook of their own, and say so.
extension StandaloneRegistry: ClusterGateway {
    public func departure(of machine: Machine) async throws -> Departure? {
        guard let node = try await node(of: machine) else { return nil }
        guard node.leftAt == nil else { return .left }
        guard let asked = node.leaveAskedAt else { return .member }
        guard node.ready else {
            return .leaving("it has sent no heartbeat since \(node.lastHeartbeat.formatted(.iso8601))")
        }
        return .leaving("\(node.staysFor ?? "it has not answered"), asked at \(asked.formatted(.iso8601))")
    }

    public func askToLeave(_ machine: Machine, by actor: String) async throws {
        try await change(machine) { node, now in
            guard node.leaveAskedAt == nil else { return nil }
            node.leaveAskedAt = now
            return "\(node.id) is asked to leave cluster \(node.cluster), for \(actor)"
        }
    }

    public func mayStay(_ machine: Machine) async throws {
        try await change(machine) { node, _ in
            guard node.leaveAskedAt != nil else { return nil }
            (node.leaveAskedAt, node.leftAt, node.staysFor) = (nil, nil, nil)
            return "\(node.id) may stay in cluster \(node.cluster)"
        }
    }

    public func remove(_ machine: Machine) async throws {
        guard let node = try await node(of: machine) else { return }
        let now = now()
        try await store.transaction { transaction in
            guard try await transaction.get(Node.self, node.id)?.machine == machine.id else { return }
            transaction.delete(Node.self, node.id)
            try transaction.put(FormerNode(node))
            try transaction.put(
                event("\(node.id) is no member of cluster \(node.cluster) any more", of: node, at: now))
        }
    }

    /// The node says that it has no work any more.
    /// - Returns: it is to restart by itself, since its machine has no BMC.
    /// - Throws: ``JoinRefusal`` `unknownNode`.
    public func noteLeft(node name: String, credential: String) async throws -> Bool {
        let node = try await node(name, credential)
        let now = now()
        return try await store.transaction { transaction in
            guard var node = try await transaction.get(Node.self, node.id), node.leaveAskedAt != nil,
                var machine = try await transaction.get(Machine.self, node.machine)
            else { return false }
            let restarts = machine.desired.bmc == nil
            if node.leftAt == nil {
                node.leftAt = now
                try transaction.put(node)
                try transaction.put(event("\(node.id) has ended its work", of: node, at: now))
            }
            // A restart that we asked for is a boot that we know of. Written unchanged, the machine's watchers look again.
            if restarts { machine.observed.powerCommandAt = now }
            try transaction.put(machine)
            return restarts
        }
    }

    /// A system that has left calls though the agent was to come: the power command did nothing, or firmware gave up on the network and started the disk
    /// that is to be erased. The lifecycle would wait half an hour for an agent. Noted once for each power command.
    func note(former name: String, credential: String) async throws {
        guard let former = try await store.get(FormerNode.self, name),
            former.credentialHash == Credential.hash(credential)
        else { return }
        let now = now()
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, former.machine),
                machine.observed.phase == .wiping || machine.observed.phase == .installing,
                let command = machine.observed.powerCommandAt,
                command > machine.observed.formerSystemAt ?? .distantPast,
                now >= command.addingTimeInterval(Lifecycle.restartPatience)
            else { return }
            machine.observed.formerSystemAt = now
            try transaction.put(machine)
            try transaction.put(
                Event(
                    id: Credential.timeOrdered(at: now), time: now, type: .problem, machine: machine.id,
                    actor: "slipwayd",
                    message: "the old system of \(machine.name) runs, where the agent was to come",
                    details: ["node": name]))
        }
    }

    private func node(of machine: Machine) async throws -> Node? {
        guard let name = machine.observed.node, let node = try await store.get(Node.self, name),
            node.machine == machine.id
        else { return nil }
        return node
    }

    private func change(_ machine: Machine, _ body: @Sendable (inout Node, Date) -> String?) async throws {
        guard let id = try await node(of: machine)?.id else { return }
        let now = now()
        try await store.transaction { transaction in
            guard var node = try await transaction.get(Node.self, id), node.machine == machine.id,
                let words = body(&node, now)
            else { return }
            try transaction.put(node)
            try transaction.put(event(words, of: node, at: now))
        }
    }

    /// What the node says of its leaving, when that is news.
    func note(_ words: String?, of node: inout Node, in transaction: Transaction, at now: Date) throws {
        guard node.leaveAskedAt != nil, node.leftAt == nil, let words, node.staysFor != words else { return }
        node.staysFor = words
        try transaction.put(node)
        try transaction.put(event("\(node.id) has not left cluster \(node.cluster) yet: \(words)", of: node, at: now))
    }

    private func event(_ words: String, of node: Node, at now: Date) -> Event {
        Event(
            id: Credential.timeOrdered(at: now), time: now, type: .nodeLeaving, machine: node.machine,
            actor: "slipwayd", message: words, details: ["node": node.id])
    }
}
