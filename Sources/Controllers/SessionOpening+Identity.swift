import APIModel
import Crypto
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Store

extension SessionOpening {
    /// The machine that the agent speaks for, made when it is new. One that looks like another and is not quite becomes a machine of its own,
    /// with a question: nobody takes over what is known of another.
    func machine(in transaction: Transaction) async throws -> Machine {
        switch identities.resolve(request.machine) {
        case .same(let id):
            if let machine = try await transaction.get(Machine.self, id) { return machine }
            return try await unreported(in: transaction)
        case .question(let id, let comparison):
            guard let other = try await transaction.get(Machine.self, id) else {
                return try await unreported(in: transaction)
            }
            // What has not reported yet has nothing to compare but the NIC that it was seen with.
            if other.observed.hardware == nil, other.observed.macs.contains(request.mac) { return other }
            return try await claimant(of: other, comparison, in: transaction)
        case .new: return try await unreported(in: transaction)
        }
    }

    /// A machine that was seen with this MAC and never told more, or a new one. A MAC alone is no proof: where a machine has it that has told
    /// more, and this does not show to be it, a person decides.
    private func unreported(in transaction: Transaction) async throws -> Machine {
        for id in Set([knownMachine, idByMAC].compactMap { $0 }).sorted() {
            guard let machine = try await transaction.get(Machine.self, id) else { continue }
            if machine.observed.hardware == nil { return machine }
            // The index follows the store: what it has not seen yet is compared here.
            if isSame(machine) { return machine }
            return try await claimant(
                of: machine, identities.compare(request.machine, machine.identity), in: transaction)
        }
        return try await make(in: transaction)
    }

    private func claimant(
        of other: Machine, _ comparison: IdentityComparison, in transaction: Transaction
    ) async throws -> Machine {
        var machine = try await make(in: transaction)
        let question = Machine.IdentityQuestion(resembles: other.id, comparison: comparison)
        guard machine.observed.question != question else { return machine }
        machine.observed.question = question
        try transaction.put(
            Event.problem(
                .identityQuestion, machine: machine.id, mac: request.mac, actor: "slipwayd",
                "\(machine.name), an agent at \(address), looks like \(other.name): \(comparison). If it is \(other.name) with a part "
                    + "replaced: `slipway machine merge \(machine.name) \(other.name)`; if it is another machine: `slipway machine "
                    + "split \(machine.name)`", details: ["resembles": other.id], at: now))
        return machine
    }

    /// The id is derived from the MAC, so that two agents of one new machine that race make one machine; where that is another machine's, from
    /// all that it shows.
    private func make(in transaction: Transaction) async throws -> Machine {
        var id = idByMAC
        if let other = try await transaction.get(Machine.self, id) {
            if other.observed.question != nil, other.observed.hardware == nil || isSame(other) { return other }
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            id += "-" + Credential.hex(SHA256.hash(data: try encoder.encode(request.machine)).prefix(8).map { $0 })
            if let machine = try await transaction.get(Machine.self, id) { return machine }
            guard identities.questions(raisedBy: request.mac) < Self.questionCapacity else { throw TooManyQuestions() }
        }
        let machine = Machine(
            id: id, name: "machine-" + id.dropFirst("m-".count + 6),
            observed: .init(phase: .discovered, phaseSince: now),
            createdAt: now)
        try transaction.put(
            Event.now(
                .phaseChanged, machine: machine.id, mac: request.mac, actor: "slipwayd", "\(machine.name): discovered",
                details: ["to": Phase.discovered.rawValue], at: now))
        return machine
    }

    private func isSame(_ machine: Machine) -> Bool {
        let alone = IdentityResolver([.init(id: machine.id, identity: machine.identity)])
        return alone.resolve(request.machine) == .same(machine.id)
    }

    private var idByMAC: String { Self.id(of: request.mac) }

    /// What ids of machines that were made for this NIC begin with.
    static func id(of mac: MACAddress) -> String { "m-" + Credential.hex(Array(mac.bytes)) }
}
