import FoundationEssentials
import Inventory
import Machines
import Store

extension MachineService {
    /// Asks the BMC, and believes what it reads back.
    public func setPower(_ action: PowerAction, of id: String, by actor: String) async throws -> PowerState {
        let access = try await bmcs.access(to: id)
        let former = try await store.get(Machine.self, id)?.observed.powerCommandAt
        // Written first: a boot that follows is ours even when this daemon is killed before the BMC answers.
        try await note(power: nil, of: id, command: action, actor: actor)
        if action != .off { consoles.record(id, at: now()) }
        if action != .off, access.kind.isController { try await tellBootDevice(of: id, access, actor: actor) }
        do {
            let state =
                access.kind.isController || (access.kind == .wakeOnLAN && action == .on)
                ? try await bmcs.controller.perform(action, on: access)
                : try await performInBand(action, on: id, actor: actor)
            try await note(power: state, of: id, command: nil, actor: actor)
            return state
        } catch {
            // One that may have been done makes the boot ours that may follow.
            if (error as? BMCError)?.reason != .outcomeUnknown { try await forgetCommand(of: id, former: former) }
            if let error = error as? ServiceError { throw error }
            throw ServiceError(.upstream, "power \(action.rawValue): \(error)")
        }
    }

    /// The agent turns its machine off or restarts it; nobody else can where there is no BMC.
    private func performInBand(_ action: PowerAction, on id: String, actor: String) async throws -> PowerState {
        let now = now()
        guard let machine = try await store.get(Machine.self, id), action != .on,
            let holder = machine.observed.session, let facts = machine.observed.hardware?.facts,
            let session = try await store.get(AgentSession.self, holder), board.isLive(session, at: now),
            board.progress(of: session.id) == nil
        else {
            throw ServiceError(
                .conflict,
                action == .on
                    ? "this machine has no BMC that could turn it on: press its button"
                    : "this machine has no BMC, and no agent of it waits for an order: press its button")
        }
        let order = Order(
            id: Credential.identifier("power"), machine: facts, task: action == .off ? .powerOff : .reboot,
            issuedAt: now, expiresAt: now.addingTimeInterval(60))
        let signed = try SignedOrder(order, with: installation.orderKey)
        try await store.transaction { transaction in
            try transaction.put(
                Event.now(
                    .orderIssued, machine: id, actor: actor,
                    "order \(order.id): its agent turns \(machine.name) \(action == .off ? "off" : "off and on")",
                    details: ["order": order.id], at: now))
        }
        board.deliver(signed, order: order.id, to: session.id)
        return action == .off ? .off : .on
    }

    public func readPower(of id: String) async throws -> PowerState {
        let access = try await bmcs.access(to: id)
        // Without a BMC what was seen last is all that is known.
        guard access.kind.isController else { return try await store.get(Machine.self, id)?.observed.power ?? .unknown }
        do {
            let state = try await bmcs.controller.power(of: access)
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
        let operation = try await machine.observed.operation.asyncMap { try await store.get(Operation.self, $0) } ?? nil
        let device = BootPolicy.bootDevice(
            phase: machine.observed.phase, order: profile?.bootOrder ?? .networkFirst,
            isRepeated: (operation?.powerCommands ?? 0) > 0, preferences: profile?.boot ?? BootPreferences(),
            habits: machine.observed.macs.map { boots.habits(of: $0) })
        guard let device else { return }
        let words: String
        do {
            let isUEFI = machine.observed.hardware?.firmware.kind == .uefi
            let result = try await bmcs.controller.bootOnce(from: device, uefi: isUEFI, on: access)
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
