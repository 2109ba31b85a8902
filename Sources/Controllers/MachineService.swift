import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Store

/// What people may do to machines.
public struct MachineService: Sendable {
    let store: any RecordStore
    let board: SessionBoard
    let installation: Installation
    let bmcs: BMCService
    let consoles: ConsoleHub
    public let profiles: ProfileBook
    let director: BootDirector
    let identities: IdentityBook
    let boots: BootBook
    let wakeups: Wakeups
    let planner: OperationPlanner
    let desk: OperationDesk
    let now: @Sendable () -> Date

    /// A machine by id, name, MAC address or serial number.
    /// - Throws: ``ServiceError`` `notFound`, or `conflict` when a serial belongs to several.
    public func machine(_ reference: String) async throws -> Machine {
        if let machine = try await store.get(Machine.self, reference) { return machine }
        let mac = MACAddress(reference)
        func isMeant(_ machine: Machine) -> Bool {
            machine.name == reference || mac.map { machine.observed.macs.contains($0) } ?? false
                || machine.observed.hardware?.facts.serial == reference
        }
        var matches: [Machine] = []
        let known = identities.machines(called: reference)
        for id in mac.map({ known.union(identities.machines(called: $0.description)) }) ?? known {
            if let machine = try await store.get(Machine.self, id), isMeant(machine) { matches.append(machine) }
        }
        // The book follows the store: what it does not know yet is looked for among all.
        if matches.isEmpty { matches = try await store.compactMap(Machine.self) { isMeant($0) ? $0 : nil } }
        guard let machine = matches.first else {
            throw ServiceError(.notFound, "no machine is called \(reference); see `slipway machine list`")
        }
        guard matches.count == 1 else {
            throw ServiceError(
                .conflict,
                "\(reference) is \(matches.map(\.name).sorted().joined(separator: " and ")): name one by its id")
        }
        return machine
    }

    /// What a machine is called; nil: nobody has heard of it.
    public func name(of id: String) -> String? { identities.name(of: id) }

    /// Leave to change a machine, with what a person knows of it.
    /// - Parameter generation: the generation the caller saw; nil: whichever it is now.
    public func accept(
        _ id: String, name: String?, bmc: BMCSetting?, network: MachineNetwork?, generation: Int64?,
        by actor: String
    ) async throws -> Machine {
        let now = now()
        if let fault = bmc?.fault { throw ServiceError(.invalid, fault.reason, field: "bmc.\(fault.field)") }
        if let name { try await checkName(name, of: id) }
        if let network { try await checkAddresses(of: network, of: id) }
        let machine = try await store.transaction { transaction in
            var machine = try await current(id, generation: generation, in: transaction)
            try refuse(.accept, machine, try await operation(of: machine, in: transaction))
            machine.desired.accepted = true
            if machine.observed.phase == .rejected {
                try transaction.put(
                    try await machine.enter(
                        .discovered, reason: "\(actor) accepted it after all", actor: actor, at: now, in: transaction))
            }
            if let name, name != machine.name {
                try checkMayChange(machine)
                machine.name = name
            }
            if let network { try set(network, of: &machine) }
            if let bmc {
                try machine.setBMC(bmc, key: installation.secretKey, in: transaction)
            }
            machine.generation += 1
            machine.updatedAt = now
            try await confirmSession(of: &machine, in: transaction, at: now)
            try transaction.put(machine)
            try transaction.put(
                Event.now(.machineChanged, machine: machine.id, actor: actor, "\(machine.name): accepted", at: now))
            return machine
        }
        wakeups.wake(id)
        return machine
    }

    func current(_ id: String, generation: Int64?, in transaction: Transaction) async throws -> Machine {
        guard let machine = try await transaction.get(Machine.self, id) else {
            throw ServiceError(.notFound, "no machine is called \(id)")
        }
        guard generation == nil || generation == machine.generation else {
            throw ServiceError(
                .stale,
                "\(machine.name) was changed meanwhile: it is at generation \(machine.generation), not \(generation ?? 0); "
                    + "look at it again")
        }
        return machine
    }

    private func checkName(_ name: String, of id: String) async throws {
        guard HostName.isLabel(name) else {
            throw ServiceError(
                .invalid,
                "\(name.debugDescription) is not a name: lower-case letters, digits and '-', at most 63, "
                    + "starting with a letter or digit and not ending in '-'", field: "name")
        }
        if let other = try await others(than: id, called: name).first(where: { $0.name == name }) {
            throw ServiceError(.conflict, "the machine \(other.id) is called \(name) already", field: "name")
        }
    }

    /// What is on its way to the machine's disk must stay as it is until the system has registered by it.
    private func checkMayChange(_ machine: Machine) throws {
        guard [.installing, .joining].contains(machine.observed.phase) else { return }
        throw ServiceError(
            .conflict,
            "\(machine.name) is \(machine.observed.phase.rawValue): its name and address are on their way to its disk; "
                + "change them when it is ready or failed")
    }

    /// - Throws: ``ServiceError`` for a network that the machine's ports cannot have, or that comes too late.
    func set(_ network: MachineNetwork?, of machine: inout Machine) throws {
        if network != machine.desired.network { try checkMayChange(machine) }
        do {
            _ = try network?.resolved(among: machine.knownPorts)
        } catch {
            throw ServiceError(.invalid, error.reason, field: "network.\(error.path)")
        }
        machine.desired.network = network
    }

    func checkAddresses(of network: MachineNetwork, of id: String) async throws {
        for address in network.addresses {
            let others = try await others(than: id, called: address.description)
            if let other = others.first(where: { $0.desired.network?.addresses.contains(address) ?? false }) {
                throw ServiceError(.conflict, "\(other.name) has the address \(address)", field: "network")
            }
        }
    }

    /// From the book: of ten thousand machines nobody reads each when one is given its name.
    private func others(than id: String, called word: String) async throws -> [Machine] {
        var machines: [Machine] = []
        for other in identities.machines(called: word).subtracting([id]) {
            if let machine = try await store.get(Machine.self, other) { machines.append(machine) }
        }
        return machines
    }

    /// A person who accepts or provisions a machine while its one session is live confirms that it is this machine.
    func confirmSession(of machine: inout Machine, in transaction: Transaction, at now: Date) async throws {
        guard let id = machine.observed.session, var session = try await transaction.get(AgentSession.self, id),
            session.trust == nil, board.isLive(session, at: now)
        else { return }
        session.trust = .person
        machine.set(.sessionTrusted, true, "trusted: \(AgentSession.Trust.person.rawValue)", at: now)
        try transaction.put(session)
    }
}
