import FoundationEssentials
import Inventory
import Machines
import Store

extension MachineService {
    /// The revisions that are kept, the oldest first.
    public func hardwareRevisions(of machine: Machine) async throws -> [HardwareRevision] {
        guard let newest = machine.observed.hardwareRevision else { return [] }
        var revisions: [HardwareRevision] = []
        for number in max(1, newest + 1 - HardwareRevision.capacity)...newest {
            if let revision = try await revision(number, of: machine) { revisions.append(revision) }
        }
        return revisions
    }

    /// Two revisions to compare.
    /// - Parameter number: the older one; nil: the one before the newest.
    /// - Returns: the older one, nil when the newest is the only one; and the newest.
    /// - Throws: ``ServiceError`` `notFound`.
    public func hardwareRevisions(
        of machine: Machine, since number: Int?
    ) async throws -> (from: HardwareRevision?, to: HardwareRevision) {
        guard let newest = machine.observed.hardwareRevision, let to = try await revision(newest, of: machine) else {
            throw ServiceError(.notFound, "\(machine.name) has not reported its hardware yet")
        }
        let from = try await revision(number ?? newest - 1, of: machine)
        guard from != nil || number == nil else {
            throw ServiceError(
                .notFound,
                "\(machine.name) has no hardware revision \(number ?? 0); the newest is \(newest), and the last "
                    + "\(HardwareRevision.capacity) are kept", field: "since")
        }
        return (from, to)
    }

    /// What was reported last is the machine's hardware from now on.
    /// - Throws: ``ServiceError`` `conflict` when nothing waits for a person's word.
    public func confirmHardware(of id: String, by actor: String) async throws -> Machine {
        let now = now()
        return try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else {
                throw ServiceError(.notFound, "no machine is called \(id)")
            }
            guard machine.condition(.hardwareChanged)?.status == true, let number = machine.observed.hardwareRevision,
                let newest = try await transaction.get(HardwareRevision.self, HardwareRevision.id(id, number))
            else { throw ServiceError(.conflict, "\(machine.name): no change of its hardware waits to be confirmed") }
            machine.observed.hardware = newest.report
            machine.observed.macs = Set(machine.observed.macs + newest.report.identity.macs).sorted()
            machine.set(.hardwareChanged, false, "revision \(number) was confirmed by \(actor)", at: now)
            if let event = machine.take(profiles.match(newest.report), at: now) { try transaction.put(event) }
            machine.updatedAt = now
            try transaction.put(machine)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: id, actor: actor,
                    "\(machine.name): hardware revision \(number) confirmed", details: ["revision": "\(number)"],
                    at: now))
            return machine
        }
    }

    private func revision(_ number: Int, of machine: Machine) async throws -> HardwareRevision? {
        try await store.get(HardwareRevision.self, HardwareRevision.id(machine.id, number))
    }
}
