import FoundationEssentials
import Inventory
import Machines
import Store

extension MachineService {
    /// Asks the BMC, and believes what it reads back.
    public func setPower(_ action: PowerAction, of id: String, by actor: String) async throws -> PowerState {
        let access = try await access(to: id)
        let former = try await store.get(Machine.self, id)?.observed.powerCommandAt
        // Written first: a boot that follows is ours even when this daemon is killed before the BMC answers.
        try await note(power: nil, of: id, command: action, actor: actor)
        if action != .off { try await tellBootDevice(of: id, access, actor: actor) }
        do {
            let state = try await bmcs.perform(action, on: access)
            try await note(power: state, of: id, command: nil, actor: actor)
            return state
        } catch {
            try await forgetCommand(of: id, former: former)
            throw ServiceError(.upstream, "power \(action.rawValue): \(error)")
        }
    }

    public func readPower(of id: String) async throws -> PowerState {
        let access = try await access(to: id)
        do {
            let state = try await bmcs.power(of: access)
            try await note(power: state, of: id, command: nil, actor: "slipwayd")
            return state
        } catch {
            throw ServiceError(.upstream, "power status: \(error)")
        }
    }

    /// Where a profile wants it, the BMC of a machine that owns its disk is told so. One that does not take it is no reason to stop: the
    /// machine asks the network then, and is told another way.
    private func tellBootDevice(of id: String, _ access: BMCAccess, actor: String) async throws {
        guard let machine = try await store.get(Machine.self, id) else { return }
        let profile = machine.observed.profile.flatMap { profiles.profile(named: $0) }
        let device = BootPolicy.bootDevice(
            phase: machine.observed.phase, preferences: profile?.boot ?? BootPreferences(),
            habits: machine.observed.macs.map { boots.habits(of: $0) })
        guard let device else { return }
        let words: String
        do {
            let isUEFI = machine.observed.hardware?.firmware.kind == .uefi
            let result = try await bmcs.bootOnce(from: device, uefi: isUEFI, on: access)
            words = "the BMC was told to start from the \(device.rawValue) once (\(result.rawValue))"
            for mac in machine.observed.macs {
                director.record(BootTraceEvent(time: now(), mac: mac, step: .bootDevice(device)))
            }
        } catch {
            words = "the BMC does not start from the \(device.rawValue): \(error); the network will tell the way"
        }
        let event = Event.now(
            .powerCommand, machine: id, actor: actor, "\(machine.name): \(words)",
            details: ["boot": device.rawValue], at: now())
        try await store.transaction { try $0.put(event) }
    }

    /// How to log in to a machine's BMC.
    func access(to id: String) async throws -> BMCAccess {
        guard let machine = try await store.get(Machine.self, id) else {
            throw ServiceError(.notFound, "no machine is called \(id)")
        }
        guard let bmc = machine.desired.bmc else {
            throw ServiceError(
                .conflict,
                "\(machine.name) has no BMC: name it with `slipway machine accept \(machine.name) --bmc ADDRESS`")
        }
        guard let secret = try await store.get(Secret.self, bmc.passwordSecret) else {
            throw ServiceError(
                .conflict, "the BMC password of \(machine.name) is not in the secret store; accept it again")
        }
        let password: String
        do {
            password = try secret.open(with: installation.secretKey)
        } catch {
            throw ServiceError(
                .conflict, "the BMC password of \(machine.name) was sealed with another key than this installation's")
        }
        return BMCAccess(address: bmc.address, port: bmc.port, username: bmc.username, password: password)
    }

    /// Writes down a power state, or that a command is about to be given: a boot after it is trusted.
    func note(power state: PowerState?, of id: String, command: PowerAction?, actor: String) async throws {
        let now = now()
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else { return }
            let before = machine.observed
            if let state { machine.observed.power = state }
            if let command {
                if command != .off { machine.observed.powerCommandAt = now }
                try transaction.put(
                    Event.now(
                        .powerCommand, machine: id, actor: actor, "\(machine.name): power \(command.rawValue)",
                        details: ["action": command.rawValue], at: now))
            }
            guard machine.observed != before else { return }
            machine.updatedAt = now
            try transaction.put(machine)
        }
    }

    /// A command that failed makes no boot trusted, and may be given again.
    private func forgetCommand(of id: String, former: Date?) async throws {
        try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, id) else { return }
            machine.observed.powerCommandAt = former
            try transaction.put(machine)
        }
    }
}
