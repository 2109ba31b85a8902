import FoundationEssentials
import Inventory
import Machines
import Store

extension MachineService {
    /// The machine that raised a question is one that is known, with a part replaced: what it reported is that one's hardware from now on.
    /// - Throws: ``ServiceError`` `conflict` when there is no such question.
    public func merge(_ id: String, into other: String, by actor: String) async throws -> Machine {
        let now = now()
        let merged = try await store.transaction { transaction in
            let claimant = try await questioned(id, in: transaction)
            guard claimant.observed.question?.resembles == other,
                var machine = try await transaction.get(Machine.self, other)
            else {
                throw ServiceError(
                    .conflict,
                    "\(claimant.name) does not look like \(other); see `slipway machine show \(claimant.name)`")
            }
            guard ![.installing, .wiping].contains(machine.observed.phase) else {
                throw ServiceError(
                    .conflict, "\(machine.name) is \(machine.observed.phase.rawValue); merge when that has ended")
            }
            guard let hardware = claimant.observed.hardware else {
                throw ServiceError(.conflict, "\(claimant.name) has not reported its hardware yet; wait for its agent")
            }
            let changes = machine.observed.hardware.map { hardware.changes(since: $0) } ?? []
            let number = (machine.observed.hardwareRevision ?? 0) + 1
            try transaction.put(
                HardwareRevision(machine: other, number: number, since: now, changes: changes, report: hardware))
            machine.observed.hardwareRevision = number
            machine.observed.hardware = hardware
            machine.observed.macs = claimant.observed.macs
            if let event = machine.take(profiles.match(hardware), at: now) { try transaction.put(event) }
            machine.set(.hardwareChanged, false, "revision \(number) was merged by \(actor)", at: now)
            machine.updatedAt = now
            try transaction.put(machine)
            try await remove(claimant, in: transaction)
            let words = changes.map(\.description).joined(separator: "; ")
            try transaction.put(
                Event.now(
                    .machineChanged, machine: other, actor: actor,
                    "\(machine.name): \(claimant.name) is this machine: \(words)",
                    details: ["merged": id, "revision": "\(number)"], at: now))
            return machine
        }
        wakeups.wake(other)
        return merged
    }

    /// The machine that raised a question is one of its own.
    /// - Throws: ``ServiceError`` `conflict` when it raised none.
    public func split(_ id: String, by actor: String) async throws -> Machine {
        let now = now()
        let machine = try await store.transaction { transaction in
            var machine = try await questioned(id, in: transaction)
            let other = machine.observed.question?.resembles ?? ""
            machine.observed.question = nil
            machine.updatedAt = now
            try transaction.put(machine)
            try transaction.put(
                Event.now(
                    .machineChanged, machine: id, actor: actor,
                    "\(machine.name): a machine of its own, and not \(other)",
                    details: ["apart": other], at: now))
            return machine
        }
        wakeups.wake(id)
        return machine
    }

    private func questioned(_ id: String, in transaction: Transaction) async throws -> Machine {
        guard let machine = try await transaction.get(Machine.self, id) else {
            throw ServiceError(.notFound, "no machine is called \(id)")
        }
        guard machine.observed.question != nil else {
            throw ServiceError(.conflict, "\(machine.name) raises no question; nothing is to be merged or split")
        }
        return machine
    }

    /// Its agent starts anew, and speaks for the other machine then.
    func remove(_ machine: Machine, in transaction: Transaction) async throws {
        if let id = machine.observed.session, var session = try await transaction.get(AgentSession.self, id) {
            session.voided = true
            try transaction.put(session)
        }
        let newest = machine.observed.hardwareRevision ?? 0
        for number in stride(from: newest, to: max(0, newest - HardwareRevision.capacity), by: -1) {
            transaction.delete(HardwareRevision.self, HardwareRevision.id(machine.id, number))
        }
        let bmc = machine.desired.bmc
        for secret in [bmc?.passwordSecret, bmc?.nextPasswordSecret, machine.observed.bmcSetUp?.openSecret] {
            if let secret { transaction.delete(Secret.self, secret) }
        }
        transaction.delete(InstallationHistory.self, machine.id)
        transaction.delete(InstalledRendering.self, machine.id)
        transaction.delete(NetworkStart.self, machine.id)
        transaction.delete(Machine.self, machine.id)
    }
}
