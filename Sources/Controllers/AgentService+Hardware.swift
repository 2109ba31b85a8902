import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Store

extension AgentService {
    /// Takes the agent's hardware report, keeps it as a revision and matches a profile.
    /// - Throws: ``ServiceError`` `gone` when the machine has its system and this is not its hardware, `busy` when it reports without end.
    public func report(_ hardware: HardwareReport, from session: AgentSession) async throws {
        let now = now()
        if let seconds = limits.reports.take(session.machine, at: now) {
            throw ServiceError(
                .busy, "this machine reports its hardware too often; try again in \(seconds) s", retryAfter: seconds)
        }
        let (isOther, isPassing) = try await store.transaction { transaction -> (Bool, Bool) in
            guard var machine = try await transaction.get(Machine.self, session.machine) else {
                return (false, false)
            }
            if BootPolicy.isHandedToDisk(machine.observed.phase) {
                return (try await !recognise(hardware, &machine, session, in: transaction, now), false)
            }
            if let id = otherMachine(hardware, than: machine), let other = try await transaction.get(Machine.self, id) {
                let comparison = identities.compare(hardware.identity, other.identity)
                try transaction.put(
                    Event.problem(
                        .identityQuestion, machine: machine.id, mac: session.mac, actor: "slipwayd",
                        "\(machine.name), an agent at \(session.address), reports hardware that looks like \(other.name)'s: \(comparison)",
                        details: ["resembles": id], at: now))
                // A person has said who this is, and this is somebody else.
                guard !machine.desired.accepted else { return (true, false) }
                machine.observed.question = .init(resembles: id, comparison: comparison)
            }
            if machine.observed.hardware?.bootID != hardware.bootID {
                try transaction.put(
                    Event.now(
                        .hardwareReported, machine: machine.id, mac: session.mac, actor: "agent", hardware.summary,
                        at: now))
            }
            let kept = try await keep(hardware, of: &machine, in: transaction, at: now)
            if !kept.changes.isEmpty { try transaction.put(changed(machine, kept.changes, at: now)) }
            try adopt(hardware, for: &machine, bootMAC: session.mac, in: transaction, at: now)
            try transaction.put(machine)
            return (false, kept.isPassing && !kept.isHeldBack)
        }
        if isPassing { _ = limits.passingRevisions.take(session.machine, at: now) }
        guard !isOther else {
            throw ServiceError(
                .gone, "this is not the hardware of the machine whose session it is; see slipway event list")
        }
        wakeups.wake(session.machine)
    }

    /// Another machine's id, when the report is that machine's hardware more than this one's. Who opened the session showed who it is then, and
    /// was asked about where that was not clear; it may show another face afterwards.
    private func otherMachine(_ hardware: HardwareReport, than machine: Machine) -> String? {
        guard machine.observed.question == nil else { return nil }
        switch identities.resolve(hardware.identity) {
        case .same(let id), .question(let id, _): return id == machine.id ? nil : id
        case .new: return nil
        }
    }

    /// The hardware is the machine's from now on, and decides on its profile.
    private func adopt(
        _ hardware: HardwareReport, for machine: inout Machine, bootMAC: MACAddress, in transaction: Transaction,
        at now: Date
    ) throws {
        machine.observed.hardware = hardware
        machine.observed.hardwareReportedAt = now
        machine.observed.macs = hardware.identityMACs(bootMAC: bootMAC)
        let holding = hardware.disks.filter { $0.holdsData }
        machine.set(
            .disksBlank, holding.isEmpty,
            holding.isEmpty ? "no local disk holds data" : "data on " + holding.map(\.summary).joined(separator: ", "),
            at: now)
        machine.updatedAt = now
        if let event = machine.take(profiles.match(hardware), at: now) { try transaction.put(event) }
    }

    /// What became of a report.
    private struct Kept {
        /// What is different from the revision before it.
        var changes: [HardwareChange] = []
        /// All of it is decided by others.
        var isPassing = false
        /// It differs, and makes no revision yet.
        var isHeldBack = false
    }

    /// A report that differs from the newest revision is the next one; one that does not is that revision's newest report. What a neighbour
    /// changes without end makes a revision now and then: until then the newest one stays as it is, so that nothing goes untold.
    private func keep(
        _ hardware: HardwareReport, of machine: inout Machine, in transaction: Transaction, at now: Date
    ) async throws -> Kept {
        let number = machine.observed.hardwareRevision ?? 0
        let newest = try await transaction.get(HardwareRevision.self, HardwareRevision.id(machine.id, number))
        let lasting = newest.map { hardware.lastingChanges(since: $0.report) } ?? []
        let changes = lasting + (newest.map { hardware.passingChanges(since: $0.report) } ?? [])
        if var newest, changes.isEmpty {
            newest.report = hardware
            try transaction.put(newest)
            return Kept()
        }
        let isPassing = newest != nil && lasting.isEmpty
        guard !isPassing || limits.passingRevisions.isThere(for: machine.id, at: now) else {
            return Kept(isPassing: true, isHeldBack: true)
        }
        machine.observed.hardwareRevision = number + 1
        try transaction.put(
            HardwareRevision(
                machine: machine.id, number: number + 1, since: now, changes: changes, report: hardware))
        let oldest = number + 1 - HardwareRevision.capacity
        if oldest > 0 { transaction.delete(HardwareRevision.self, HardwareRevision.id(machine.id, oldest)) }
        return Kept(changes: changes, isPassing: isPassing)
    }

    private func changed(_ machine: Machine, _ changes: [HardwareChange], at now: Date) -> Event {
        let shown = changes.prefix(5).map(\.description).joined(separator: "; ")
        let more = changes.count > 5 ? " and \(changes.count - 5) more" : ""
        return Event.now(
            .hardwareChanged, machine: machine.id, actor: "agent", "\(machine.name): \(shown)\(more)",
            details: ["revision": "\(machine.observed.hardwareRevision ?? 0)", "changes": "\(changes.count)"], at: now)
    }

    /// Whoever fetches a script can say that it is this machine. One that has its system is told nothing of itself before it has
    /// shown every fact, and what is known of it does not change by an agent's word: what is different waits for a person.
    private func recognise(
        _ hardware: HardwareReport, _ machine: inout Machine, _ session: AgentSession, in transaction: Transaction,
        _ now: Date
    ) async throws -> Bool {
        guard var session = try await transaction.get(AgentSession.self, session.id) else { return false }
        let disk = machine.observed.installed.flatMap { try? OrderVerifier.disk($0.disk, among: hardware.disks) }
        let isKnown = machine.observed.hardware?.facts == hardware.facts && disk != nil
        if isKnown {
            session.isKnownHardware = true
            try transaction.put(session)
        } else {
            try transaction.put(
                Event.problem(
                    .hardwareChanged, machine: machine.id, mac: session.mac, actor: "slipwayd",
                    "the agent could not start the installed system: the hardware it reported from \(session.address) is not "
                        + "\(machine.name)'s, or the system's disk is not there; nothing was told to it",
                    at: now))
        }
        let alone = IdentityResolver([.init(id: machine.id, identity: machine.identity)])
        if isKnown || alone.resolve(hardware.identity) == .same(machine.id) {
            try await ask(about: hardware, &machine, in: transaction, now)
        }
        return isKnown
    }

    /// Keeps what a machine that has its system reports, and asks a person about what is different.
    private func ask(
        about hardware: HardwareReport, _ machine: inout Machine, in transaction: Transaction, _ now: Date
    ) async throws {
        let different = machine.observed.hardware.map { hardware.changes(since: $0) } ?? []
        let kept = try await keep(hardware, of: &machine, in: transaction, at: now)
        guard !kept.isHeldBack else { return }
        let changes = kept.changes
        // Taken at each try of the transaction, which is seldom more than one.
        if kept.isPassing { _ = limits.passingRevisions.take(machine.id, at: now) }
        guard !changes.isEmpty || different.isEmpty == (machine.condition(.hardwareChanged)?.status == true) else {
            return
        }
        if !changes.isEmpty { try transaction.put(changed(machine, changes, at: now)) }
        machine.set(
            .hardwareChanged, !different.isEmpty,
            different.isEmpty
                ? "it is what it was again"
                : different.map(\.description).joined(separator: "; ")
                    + ": look at it, then `slipway machine confirm \(machine.name)`",
            at: now)
        try transaction.put(machine)
    }
}
