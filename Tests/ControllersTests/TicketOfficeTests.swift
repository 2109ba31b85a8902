import APIModel
import Crypto
import Foundation
import Inventory
import Machines
import NetworkAddresses
import Store
import Testing

@testable import Controllers

@Suite struct TicketOfficeTests {
    private typealias Flow = LifecycleFlowTests
    private let secret = SymmetricKey(size: .bits256)
    private let now = Date(timeIntervalSince1970: 1_800_000_000.25)
    private let client = BootClient(mac: Flow.mac, stage: .ipxe, address: Flow.address)

    @Test("a ticket says when and for whom it was made, to every daemon of the installation")
    func read() throws {
        let ticket = TicketOffice(secret: secret).issue(to: client, at: now)
        let reading = try #require(TicketOffice(secret: secret).read(ticket, of: client.mac))
        #expect(!reading.isSuperseded)
        #expect(
            reading.ticket
                == BootTicket(
                    mac: client.mac, hash: Credential.hash(ticket), address: client.address, issuedAt: now))
        let unplaced = TicketOffice(secret: secret).issue(to: BootClient(mac: client.mac, stage: .grub), at: now)
        #expect(TicketOffice(secret: secret).read(unplaced, of: client.mac)?.ticket.address == nil)
    }

    @Test("no other text, MAC or installation makes a ticket")
    func forged() {
        let office = TicketOffice(secret: secret)
        let ticket = office.issue(to: client, at: now)
        #expect(office.read(ticket, of: MACAddress(rawValue: client.mac.rawValue + 1)) == nil)
        #expect(TicketOffice(secret: SymmetricKey(size: .bits256)).read(ticket, of: client.mac) == nil)
        #expect(TicketOffice(secret: .init(data: Data(count: 32))).read(ticket, of: client.mac) == nil)
        let digits = Array(ticket)
        for index in digits.indices {
            var other = digits
            other[index] = digits[index] == "0" ? "1" : "0"
            #expect(office.read(String(other), of: client.mac) == nil, "digit \(index)")
        }
        for other in [
            "", "0", ticket.uppercased(), ticket + "00", String(ticket.dropLast(2)), " " + ticket, "é" + ticket,
        ] {
            #expect(office.read(other, of: client.mac) == nil, "\(other)")
        }
    }

    @Test("the newest of a MAC makes the ones before it worthless, of no other MAC")
    func superseded() throws {
        let office = TicketOffice(secret: secret)
        let other = BootClient(mac: MACAddress(rawValue: client.mac.rawValue + 1), stage: .ipxe)
        let tickets = [client, client, other].map { office.issue(to: $0, at: now) }
        #expect(try #require(office.read(tickets[0], of: client.mac)).isSuperseded)
        #expect(try !#require(office.read(tickets[1], of: client.mac)).isSuperseded)
        #expect(try !#require(office.read(tickets[2], of: other.mac)).isSuperseded)
    }

    struct Use: CustomTestStringConvertible, Sendable {
        /// Seconds after the beginning: when tickets are made, in their order, and which of them open a session, when.
        var made: [Double]
        var opens: [(ticket: Int, at: Double)]
        /// Before each opening.
        var restarts = false
        var words: [String?]
        var testDescription: String
    }

    @Test(
        "which ticket opens a session",
        arguments: [
            Use(made: [0], opens: [(0, 1799)], words: [nil], testDescription: "half an hour"),
            Use(made: [0], opens: [(0, 1801)], words: ["has expired"], testDescription: "longer"),
            Use(made: [1801], opens: [(0, 0)], words: ["has expired"], testDescription: "from the future"),
            Use(
                made: [0, 1], opens: [(0, 2), (1, 3)], words: ["not the newest", nil], testDescription: "the newest"),
            Use(
                made: [0, 1], opens: [(1, 2), (0, 3)], restarts: true, words: [nil, "not the newest"],
                testDescription: "an older one after the newest, unknown to a daemon that began anew"),
            Use(
                made: [0, 60], opens: [(1, 30), (0, 31)], restarts: true, words: [nil, nil],
                testDescription: "a clock that was set back"),
            Use(
                made: [0], opens: [(0, 1), (0, 2)], restarts: true, words: [nil, nil], testDescription: "asked again"),
        ])
    func opened(_ use: Use) async throws {
        let store = try await Flow.store()
        var offices = TicketOffice(secret: secret)
        let tickets = use.made.map { offices.issue(to: client, at: now.addingTimeInterval($0)) }
        for (open, words) in zip(use.opens, use.words) {
            if use.restarts { offices = TicketOffice(secret: secret) }
            let request = SessionRequest(
                ticket: tickets[open.ticket], mac: client.mac, machine: Flow.report().identity, bootID: "b",
                agentVersion: "1", uptimeSeconds: 1)
            let opening = SessionOpening(
                request: request, presented: offices.read(request.ticket, of: client.mac), address: "10.77.0.50",
                token: "t", knownMachine: nil, identities: IdentityBook(),
                board: SessionBoard(startedAt: now), now: now.addingTimeInterval(open.at))
            switch try await store.transaction({ try await opening.perform(in: $0) }) {
            case .opened: #expect(words == nil)
            case .refused(let said): #expect(words.map { said.contains($0) } ?? false, "\(said)")
            }
        }
    }
}
