import APIModel
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Store

/// One attempt to open an agent session: checks the ticket, finds or creates the machine, decides on trust.
struct SessionOpening {
    enum Outcome: Sendable {
        case opened(AgentSession, Machine)
        /// The words are for the agent's console and the log; what was learnt is stored all the same.
        case refused(String)
    }

    let request: SessionRequest
    /// The ticket of the request; nil: it is none of ours.
    let presented: TicketOffice.Reading?
    let address: String
    let token: String
    /// The machine that was seen with this MAC.
    let knownMachine: String?
    let identities: IdentityBook
    let board: SessionBoard
    let now: Date

    /// Machines with a question that one MAC may raise: whoever fetches scripts can show another face each time.
    static let questionCapacity = 8

    struct TooManyQuestions: Error {}

    func perform(in transaction: Transaction) async throws -> Outcome {
        guard let presented else {
            return .refused("the boot ticket was not made here for \(request.mac); boot from the network again")
        }
        var ticket = presented.ticket
        // Either way: a clock that was set back must not make a ticket good for years.
        guard abs(now.timeIntervalSince(ticket.issuedAt)) < BootTicket.lifetime else {
            return .refused("the boot ticket has expired; boot from the network again")
        }
        let used = try await transaction.get(BootTicket.self, ticket.id)
        guard !presented.isSuperseded, used.map({ !isNewer($0, than: ticket) }) ?? true else {
            return .refused("the boot ticket is not the newest one of \(request.mac); boot from the network again")
        }
        if let used, used.hash == ticket.hash { ticket = used }
        guard !ticket.voided else { return .refused("the boot ticket was used twice; boot from the network again") }
        if let session = ticket.usedBy, ticket.usedByBoot != request.bootID {
            ticket.voided = true
            try transaction.put(ticket)
            try await void(session, in: transaction)
            return .refused("the boot ticket was used already, by another agent")
        }
        var machine: Machine
        do {
            machine = try await self.machine(in: transaction)
        } catch is TooManyQuestions {
            return .refused(
                "\(Self.questionCapacity) machines with the NIC \(request.mac) wait for a person's word already; see `slipway machine list`, and "
                    + "merge or split them")
        }
        let session = try await session(on: machine, by: ticket, in: transaction)
        if let former = machine.observed.session, former != session.id { board.forget(former) }
        machine.observed.session = session.id
        // A MAC that another machine is known by is not taken from it.
        if !machine.observed.macs.contains(request.mac), knownMachine ?? machine.id == machine.id {
            machine.observed.macs.append(request.mac)
        }
        if machine.observed.power != .on { machine.observed.power = .on }
        machine.set(.agentConnected, true, "session from \(address)", at: now)
        machine.set(
            .sessionTrusted, session.trust != nil,
            session.trust.map { "trusted: \($0.rawValue)" } ?? "no power command of ours preceded this boot", at: now)
        machine.updatedAt = now
        try await noteStart(of: machine, isKnown: ticket.usedBy == session.id, in: transaction)
        ticket.usedBy = session.id
        ticket.usedByBoot = request.bootID
        try transaction.put(ticket)
        try transaction.put(session)
        try transaction.put(machine)
        try transaction.put(
            Event.now(
                .agentSession, machine: machine.id, mac: request.mac, actor: "agent",
                "agent \(request.agentVersion) connected from \(address)",
                details: ["uptimeSeconds": "\((request.uptimeSeconds * 10).rounded() / 10)", "session": session.id],
                at: now))
        return .opened(session, machine)
    }

    /// Counts the agents that an operation saw.
    private func noteStart(of machine: Machine, isKnown: Bool, in transaction: Transaction) async throws {
        guard !isKnown, let id = machine.observed.operation,
            var operation = try await transaction.get(Operation.self, id), operation.state == .running
        else { return }
        operation.starts += 1
        try transaction.put(operation)
    }

    /// A new session, or that of an agent which lost our answer, with another token.
    private func session(on machine: Machine, by ticket: BootTicket, in transaction: Transaction) async throws
        -> AgentSession
    {
        if let id = ticket.usedBy, var session = try await transaction.get(AgentSession.self, id),
            session.address == address
        {
            session.tokenHash = Credential.hash(token)
            return session
        }
        return AgentSession(
            id: Credential.identifier("s"), machine: machine.id, mac: request.mac, tokenHash: Credential.hash(token),
            address: address, bootID: request.bootID, agentVersion: request.agentVersion, openedAt: now,
            trust: trust(machine: machine, ticket: ticket))
    }

    /// A record from a clock that was ahead says nothing.
    private func isNewer(_ used: BootTicket, than ticket: BootTicket) -> Bool {
        used.hash != ticket.hash && used.issuedAt >= ticket.issuedAt && used.issuedAt <= now
    }

    /// Secrets go only to a boot that began after a power command of ours, from the address that fetched its script.
    private func trust(machine: Machine, ticket: BootTicket) -> AgentSession.Trust? {
        guard let command = machine.observed.powerCommandAt, ticket.issuedAt >= command,
            now.timeIntervalSince(command) < AgentSession.powerWindow,
            ticket.address.map({ "\($0)" == address }) ?? false
        else { return nil }
        return .powerCommand
    }

    private func void(_ id: String, in transaction: Transaction) async throws {
        guard var session = try await transaction.get(AgentSession.self, id) else { return }
        session.voided = true
        try transaction.put(session)
        try transaction.put(
            Event.problem(
                .ticketReuse, machine: session.machine, mac: session.mac, actor: "slipwayd",
                "the boot ticket of \(session.mac) was used twice, from \(session.address) and \(address): the session is void; "
                    + "find out who else reads boot scripts on this network, then power-cycle the machine",
                at: now))
    }
}
