import FoundationEssentials
import Machines
import Store

/// Boot tickets in the store: the newest of each MAC, by its hash.
public struct StoredTickets: TicketOffice {
    let store: any RecordStore
    let now: @Sendable () -> Date

    public init(store: any RecordStore, now: @escaping @Sendable () -> Date) { (self.store, self.now) = (store, now) }

    public func issueTicket(for client: BootClient) async throws -> String {
        let ticket = Credential.random()
        let record = BootTicket(
            mac: client.mac, hash: Credential.hash(ticket), address: client.address, issuedAt: now())
        try await store.transaction { transaction in
            // Read, so that the write replaces the ticket of an earlier fetch: that one is worthless from now on.
            _ = try await transaction.get(BootTicket.self, record.id)
            try transaction.put(record)
        }
        return ticket
    }
}
