import FoundationEssentials
import Machines
import Store

/// Boot tickets in the store: the newest of each MAC, by its hash.
public struct StoredTickets: TicketOffice {
    private let commits: GroupCommit<BootTicket>
    let now: @Sendable () -> Date

    public init(store: any RecordStore, now: @escaping @Sendable () -> Date) {
        self.now = now
        // A hall of machines that powers on asks for a thousand scripts within seconds; a commit for each would be the slowest part.
        commits = GroupCommit { tickets in
            try await store.transaction { transaction in
                // The ticket of an earlier fetch is worthless from the next one on.
                for ticket in Dictionary(tickets.map { ($0.id, $0) }, uniquingKeysWith: { $1 }).values {
                    // Read, so that the write replaces what is there.
                    _ = try await transaction.get(BootTicket.self, ticket.id)
                    try transaction.put(ticket)
                }
            }
        }
    }

    public func issueTicket(for client: BootClient) async throws -> String {
        let ticket = Credential.random()
        let record = BootTicket(
            mac: client.mac, hash: Credential.hash(ticket), address: client.address, issuedAt: now())
        try await commits.commit(record)
        return ticket
    }
}
