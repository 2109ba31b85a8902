import FoundationEssentials
import Machines
import Store

extension MachineService {
    /// What people change of a machine by hand; nil stays as it is.
    public struct Changes: Sendable {
        /// `.some(nil)` takes it away.
        public var location: Location??
        /// By name; nil takes a label away.
        public var labels: [String: String?]
        /// `.some(nil)`: back to DHCP.
        public var network: MachineNetwork??
        /// Of its system's own configuration, as its driver reads them; empty takes it away.
        public var patch: String?

        public init(
            location: Location?? = nil, labels: [String: String?] = [:], network: MachineNetwork?? = nil,
            patch: String? = nil
        ) {
            (self.location, self.labels, self.network, self.patch) = (location, labels, network, patch)
        }
    }

    /// Changes location, labels, and the network and patch that the next installation gets.
    /// - Parameter generation: the generation the caller saw; nil: whichever it is now.
    public func change(_ id: String, _ changes: Changes, generation: Int64?, by actor: String) async throws -> Machine {
        let now = now()
        if let location = changes.location, let fault = location?.fault {
            throw ServiceError(.invalid, fault.reason, field: "location.\(fault.field)")
        }
        if let patch = changes.patch, !patch.isEmpty,
            let fault = ClusterSettings(secrets: [.patch: patch]).fault()
        {
            throw ServiceError(.invalid, fault.reason, field: "patch")
        }
        if let network = changes.network.flatMap({ $0 }) { try await checkAddresses(of: network, of: id) }
        return try await store.transaction { transaction in
            var machine = try await current(id, generation: generation, in: transaction)
            let before = machine
            if let network = changes.network { try set(network, of: &machine) }
            if let patch = changes.patch { try set(patch: patch, of: &machine) }
            if let location = changes.location { machine.desired.location = location }
            for (name, value) in changes.labels { machine.labels[name] = value }
            if let fault = Labels.fault(machine.labels) { throw ServiceError(.invalid, fault, field: "labels") }
            guard machine != before else { return machine }
            machine.generation += 1
            machine.updatedAt = now
            try transaction.put(machine)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: id, actor: actor, "\(machine.name): \(Self.words(before, machine))",
                    at: now))
            return machine
        }
    }

    /// The same again is no change.
    private func set(patch: String, of machine: inout Machine) throws {
        let key = installation.secretKey
        if patch.isEmpty {
            machine.desired.patch = nil
        } else if try machine.desired.patch?.open(with: key) != patch {
            machine.desired.patch = try Secret(id: "patch/\(machine.id)", text: patch, key: key)
        }
    }

    private static func words(_ before: Machine, _ after: Machine) -> String {
        var words: [String] = []
        if before.desired.location != after.desired.location {
            let (from, to) = (before.desired.location, after.desired.location)
            words.append("location \(from.map { "\($0)" } ?? "none") → \(to.map { "\($0)" } ?? "none")")
        }
        if before.desired.network != after.desired.network {
            words.append("network \(after.desired.network?.summary ?? "by DHCP"), from its next installation on")
        }
        if before.desired.patch != after.desired.patch {
            words.append(
                "configuration patch \(after.desired.patch == nil ? "removed" : "changed"), from its next installation on"
            )
        }
        for name in Set(before.labels.keys).union(after.labels.keys).sorted()
        where before.labels[name] != after.labels[name] {
            words.append("label \(name) " + (after.labels[name].map { "= \($0)" } ?? "removed"))
        }
        return words.joined(separator: "; ")
    }
}
