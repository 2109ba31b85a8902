import APIModel
import Crypto
import FoundationEssentials
import Inventory
import Logging
import Machines
import NetworkAddresses
import Store

/// The daemon's side of the agent API.
public struct AgentService: Sendable {
    let store: any RecordStore
    let board: SessionBoard
    let director: BootDirector
    let tickets: TicketOffice
    let profiles: ProfileMatcher
    let installation: Installation
    let wakeups: Wakeups
    let logger: Logger
    let now: @Sendable () -> Date

    /// Opens a session for the holder of a boot ticket.
    /// - Parameter address: where the call came from.
    /// - Throws: ``ServiceError`` `unauthorized` for a ticket that is unknown, expired or was used by another agent.
    public func open(_ request: SessionRequest, from address: String) async throws -> SessionReply {
        let known = director.machine(with: request.mac)
        let presented = tickets.read(request.ticket, of: request.mac)
        let token = Credential.random()
        let now = now()
        let opening = try await store.transaction { transaction in
            try await SessionOpening(
                request: request, presented: presented, address: address, token: token, knownMachine: known,
                board: board, now: now
            ).perform(in: transaction)
        }
        switch opening {
        case .refused(let message):
            logger.warning("agent session refused", metadata: ["mac": "\(request.mac)", "reason": "\(message)"])
            throw ServiceError(.unauthorized, message)
        case .opened(let session, let machine):
            board.noteCall(session.id, at: now)
            director.record(BootTraceEvent(time: now, mac: request.mac, step: .session), of: machine.id)
            wakeups.wake(machine.id)
            return SessionReply(
                session: session.id, token: token, machine: machine.id, name: machine.name, time: now,
                orderKey: installation.orderKey.publicKey.rawRepresentation, pollSeconds: installation.pollSeconds,
                idleSeconds: installation.idleSeconds)
        }
    }

    /// The session that a bearer token belongs to.
    /// - Throws: ``ServiceError`` `unauthorized`, or `gone` when a newer session of the machine has taken its place. Two agents
    ///   that both go on calling are two machines claiming to be one: neither is trusted any more.
    public func authenticate(session id: String, token: String) async throws -> AgentSession {
        guard let session = try await store.get(AgentSession.self, id), session.tokenHash == Credential.hash(token)
        else {
            throw ServiceError(.unauthorized, "this session is unknown; boot from the network again")
        }
        guard !session.voided else { throw ServiceError(.gone, "this session was voided; boot from the network again") }
        guard let machine = try await store.get(Machine.self, session.machine) else {
            throw ServiceError(.gone, "the machine of this session was removed; boot from the network again")
        }
        guard machine.observed.session == id else {
            try await distrust(machine: machine.id, former: session)
            throw ServiceError(.gone, "a newer session of this machine was opened; boot from the network again")
        }
        board.noteCall(id, at: now())
        return session
    }

    /// Takes the agent's hardware report and matches a profile.
    public func report(_ hardware: HardwareReport, from session: AgentSession) async throws {
        let now = now()
        let match = profiles.match(hardware)
        let isOther = try await store.transaction { transaction in
            guard var machine = try await transaction.get(Machine.self, session.machine) else { return false }
            if BootPolicy.isHandedToDisk(machine.observed.phase) {
                return try await !recognise(hardware, machine, session, in: transaction, now)
            }
            let formerProfile = machine.observed.profile
            machine.observed.hardware = hardware
            machine.observed.hardwareReportedAt = now
            machine.observed.macs = hardware.identityMACs(bootMAC: session.mac)
            machine.observed.profile = match?.name
            let holding = hardware.disks.filter { $0.holdsData }
            machine.set(
                .disksBlank, holding.isEmpty,
                holding.isEmpty
                    ? "no local disk holds data"
                    : "data on " + holding.map(\.summary).joined(separator: ", "), at: now)
            machine.updatedAt = now
            try transaction.put(machine)
            try transaction.put(
                Event.now(
                    .hardwareReported, machine: machine.id, mac: session.mac, actor: "agent", hardware.summary, at: now)
            )
            if formerProfile != match?.name {
                try transaction.put(
                    Event.now(
                        .profileMatched, machine: machine.id, actor: "slipwayd",
                        match.map { "hardware profile \($0.name)" } ?? "no hardware profile matches",
                        details: ["profile": match?.name ?? ""], at: now))
            }
            return false
        }
        guard !isOther else {
            throw ServiceError(
                .gone, "this is not the hardware that the system was installed on; see slipway event list")
        }
        wakeups.wake(session.machine)
    }

    /// Whoever fetches a script can say that it is this machine. One that has its system is told nothing of itself before it has
    /// shown every fact, and what is known of it does not change by an agent's word.
    private func recognise(
        _ hardware: HardwareReport, _ machine: Machine, _ session: AgentSession, in transaction: Transaction,
        _ now: Date
    ) async throws -> Bool {
        guard var session = try await transaction.get(AgentSession.self, session.id) else { return false }
        let disk = machine.observed.installed.flatMap { try? OrderVerifier.disk($0.disk, among: hardware.disks) }
        guard machine.observed.hardware?.facts == hardware.facts, disk != nil else {
            try transaction.put(
                Event.problem(
                    .hardwareChanged, machine: machine.id, mac: session.mac, actor: "slipwayd",
                    "the agent could not start the installed system: the hardware it reported from \(session.address) is not "
                        + "\(machine.name)'s, or the system's disk is not there; nothing was told to it",
                    at: now))
            return false
        }
        session.isKnownHardware = true
        try transaction.put(session)
        return true
    }

    private func distrust(machine id: String, former: AgentSession) async throws {
        let now = now()
        try await store.transaction { transaction in
            guard let machine = try await transaction.get(Machine.self, id), let newest = machine.observed.session,
                var session = try await transaction.get(AgentSession.self, newest),
                var former = try await transaction.get(AgentSession.self, former.id), !former.voided
            else { return }
            former.voided = true
            try transaction.put(former)
            guard former.bootID != session.bootID else { return }
            session.trust = nil
            try transaction.put(session)
            try transaction.put(
                Event.problem(
                    .duplicateSession, machine: id, mac: session.mac, actor: "slipwayd",
                    "two agents claim to be \(machine.name), from \(former.address) and \(session.address): neither gets secrets; "
                        + "find out who answers on this network, then provision the machine again",
                    at: now))
        }
    }
}
