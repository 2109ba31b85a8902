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
    let identities: IdentityBook
    let tickets: TicketOffice
    let profiles: ProfileBook
    let installation: Installation
    let certificates: CertificateBook
    let wakeups: Wakeups
    let logger: Logger
    let now: @Sendable () -> Date
    let limits = Limits()

    /// How often one machine's agent is heard.
    struct Limits: Sendable {
        /// Reports of any kind. An agent sends one for each boot, and one more in half a minute at most.
        let reports = Allowance(burst: 20, oneEach: 15)
        /// Revisions of nothing but passing changes.
        let passingRevisions = Allowance(burst: 5, oneEach: 600)
    }

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
                identities: identities, board: board,
                now: now
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
