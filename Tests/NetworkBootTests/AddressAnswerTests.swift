import DHCP
import FoundationEssentials
import Machines
import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

/// Addresses from pools and reservations.
@Suite struct AddressAnswerTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let server = IPv4Address(10, 77, 0, 1)

    static func responder(
        _ first: UInt8 = 50, _ last: UInt8 = 52, mode: Subnet.Mode = .pool, reservations: [Subnet.Reservation] = []
    ) -> SubnetResponder {
        SubnetResponder(
            Subnet(
                mode: mode, interface: "eth1", network: IPv4Network("10.77.0.0/24"), server: server,
                pools: [IPv4Address(10, 77, 0, first)...IPv4Address(10, 77, 0, last)], reservations: reservations),
            files: ProxyAnswerTests.files)
    }

    static func message(
        _ type: MessageType, mac: UInt8 = 1, requested: IPv4Address? = nil, to server: IPv4Address? = nil
    ) -> Message {
        var message = ProxyAnswerTests.discover(.efiX64)
        message.chaddr[5] = mac
        message.type = type
        if let requested { message.set(.requestedAddress, [requested]) }
        if let server { message.set(.serverIdentifier, [server]) }
        return message
    }

    @Test("DISCOVER, OFFER, REQUEST, ACK; the lease is said before the ACK may leave")
    func dora() throws {
        var responder = Self.responder()
        let offer = responder.handle(Self.message(.discover), action: .agent, now: Self.now)
        #expect(offer.lease == nil)
        let address = try #require(offer.reply?.message.yiaddr)
        #expect(address == IPv4Address(10, 77, 0, 50))
        let ack = responder.handle(
            Self.message(.request, requested: address, to: Self.server), action: .agent, now: Self.now)
        #expect(ack.reply?.message.type == .ack && ack.reply?.message.yiaddr == address)
        #expect(ack.lease?.expires == Self.now.addingTimeInterval(600))
        #expect(ack.reply?.message.seconds(.leaseTime) == 600)
        #expect(ack.reply?.message.address(.subnetMask) == IPv4Address(255, 255, 255, 0))
    }

    @Test("firmware, iPXE and agent of one machine hold one lease")
    func oneLease() throws {
        var responder = Self.responder()
        for client in ["PXEClient:Arch:00007", "PXEClient:Arch:00007:UNDI:003010", "slipway-agent"] {
            var discover = Self.message(.discover)
            discover.set(.vendorClass, text: client)
            discover.options[.clientIdentifier] = Array(client.utf8)
            let address = try #require(responder.handle(discover, action: .agent, now: Self.now).reply?.message.yiaddr)
            #expect(address == IPv4Address(10, 77, 0, 50))
            _ = responder.handle(
                Self.message(.request, requested: address, to: Self.server), action: .agent, now: Self.now)
        }
        #expect(responder.pool.leases.count == 1)
    }

    @Test("a pool that is full is silent, and an expired lease is given again")
    func exhaustion() throws {
        var responder = Self.responder()
        for mac in 1...3 as ClosedRange<UInt8> {
            let address = try #require(
                responder.handle(Self.message(.discover, mac: mac), action: .agent, now: Self.now).reply?.message.yiaddr
            )
            _ = responder.handle(
                Self.message(.request, mac: mac, requested: address, to: Self.server), action: .agent, now: Self.now)
        }
        #expect(responder.handle(Self.message(.discover, mac: 4), action: .agent, now: Self.now).reply == nil)
        let later = Self.now.addingTimeInterval(601)
        #expect(responder.handle(Self.message(.discover, mac: 4), action: .agent, now: later).reply != nil)
    }

    @Test("REQUESTs of every kind (RFC 2131 §4.3.2)")
    func requests() throws {
        var responder = Self.responder()
        let own = IPv4Address(10, 77, 0, 50)
        _ = responder.handle(Self.message(.request, requested: own, to: Self.server), action: .agent, now: Self.now)
        // Another server's offer was chosen.
        let other = Self.message(.request, requested: own, to: IPv4Address(10, 77, 0, 2))
        #expect(
            responder.handle(other, action: .agent, now: Self.now)
                == .init(reply: nil, lease: nil, trouble: .chose(server: IPv4Address(10, 77, 0, 2))))
        // A restart with the right address, with a wrong one, and with one of another network.
        #expect(
            responder.handle(Self.message(.request, requested: own), action: .agent, now: Self.now).reply?.message.type
                == .ack)
        let wrong = Self.message(.request, requested: IPv4Address(10, 77, 0, 51))
        #expect(responder.handle(wrong, action: .agent, now: Self.now).reply?.message.type == .nak)
        let foreign = Self.message(.request, requested: IPv4Address(192, 168, 0, 7))
        #expect(responder.handle(foreign, action: .agent, now: Self.now).reply?.message.type == .nak)
        // A renewal goes back to the address itself.
        var renewal = Self.message(.request)
        renewal.ciaddr = own
        #expect(responder.handle(renewal, action: .agent, now: Self.now).reply?.destination == .unicast(own, port: 68))
        // Somebody else's address.
        let thief = Self.message(.request, mac: 9, requested: own, to: Self.server)
        #expect(responder.handle(thief, action: .agent, now: Self.now).reply?.message.type == .nak)
    }

    @Test("a declined address is given to nobody for a while")
    func decline() throws {
        var responder = Self.responder()
        let own = IPv4Address(10, 77, 0, 50)
        _ = responder.handle(Self.message(.request, requested: own, to: Self.server), action: .agent, now: Self.now)
        _ = responder.handle(Self.message(.decline, requested: own, to: Self.server), action: .agent, now: Self.now)
        let next = responder.handle(Self.message(.discover), action: .agent, now: Self.now).reply?.message.yiaddr
        #expect(next == IPv4Address(10, 77, 0, 51))
    }

    @Test("INFORM is told what there is, and nothing of a lease (RFC 2131 §4.3.5)")
    func inform() throws {
        var responder = Self.responder()
        var request = Self.message(.inform)
        request.ciaddr = IPv4Address(10, 77, 0, 99)
        let ack = try #require(responder.handle(request, action: .agent, now: Self.now).reply)
        #expect(ack.message.type == .ack && ack.message.yiaddr == .unspecified)
        #expect(ack.destination == .unicast(request.ciaddr, port: 68))
        #expect(ack.message.options[.subnetMask] != nil)
        for code in [OptionCode.leaseTime, .renewalTime, .rebindingTime] { #expect(ack.message.options[code] == nil) }
    }

    @Test("machines that are ignored get nothing")
    func ignored() {
        var responder = Self.responder()
        #expect(
            responder.handle(Self.message(.discover), action: .ignore, now: Self.now) == .init(reply: nil, lease: nil))
    }

    @Test("a relay's word goes back as it came, and its name for the server is taken (RFC 3046, RFC 5107)")
    func relayed() throws {
        var responder = Self.responder()
        let relay = bytes("01 03 676531 0b 04 0a4d00fe")
        var discover = Self.message(.discover)
        discover.giaddr = IPv4Address(10, 77, 0, 254)
        discover.options[.relayAgentInformation] = relay
        let offer = try #require(responder.handle(discover, action: .agent, now: Self.now).reply)
        #expect(offer.destination == .unicast(IPv4Address(10, 77, 0, 254), port: 67))
        #expect(offer.message.options.codes.last == .relayAgentInformation)
        #expect(offer.message.options[.relayAgentInformation] == relay)
        #expect(offer.message.serverIdentifier == IPv4Address(10, 77, 0, 254))
        var request = Self.message(.request, requested: offer.message.yiaddr, to: IPv4Address(10, 77, 0, 254))
        request.giaddr = discover.giaddr
        request.options[.relayAgentInformation] = relay
        #expect(responder.handle(request, action: .agent, now: Self.now).reply?.message.type == .ack)
        // Without the relay's word the same server is somebody else.
        let stranger = Self.message(.request, mac: 2, requested: offer.message.yiaddr, to: IPv4Address(10, 77, 0, 254))
        #expect(
            responder.handle(stranger, action: .agent, now: Self.now).trouble
                == .chose(server: IPv4Address(10, 77, 0, 254)))
    }

    static let reserved = [
        Subnet.Reservation(
            key: .mac(MACAddress(rawValue: 0x5254_0012_3407)), address: IPv4Address(10, 77, 0, 7), hostName: "db-7"),
        Subnet.Reservation(key: .clientID([0, 1, 2]), address: IPv4Address(10, 77, 0, 51)),
    ]

    @Test("a reserved address goes to its machine by MAC or client id, and to nobody else")
    func reservations() throws {
        for mode in [Subnet.Mode.pool, .reservation, .auto] {
            var responder = Self.responder(mode: mode, reservations: Self.reserved)
            let byMAC = try #require(
                responder.handle(Self.message(.discover, mac: 7), action: .agent, now: Self.now).reply)
            #expect(byMAC.message.yiaddr == IPv4Address(10, 77, 0, 7), "\(mode)")
            #expect(byMAC.message.options[.hostName] == Array("db-7".utf8))
            var named = Self.message(.discover, mac: 8)
            named.options[.clientIdentifier] = [0, 1, 2]
            let byID = responder.handle(named, action: .agent, now: Self.now).reply
            #expect(byID?.message.yiaddr == IPv4Address(10, 77, 0, 51), "\(mode)")
            // Somebody else who asks for it by name.
            let thief = Self.message(.request, mac: 9, requested: IPv4Address(10, 77, 0, 51), to: Self.server)
            #expect(responder.handle(thief, action: .agent, now: Self.now).lease == nil, "\(mode)")
        }
        // The pool holds .51, which is reserved.
        var responder = Self.responder(reservations: Self.reserved)
        let given = (20...22).compactMap { mac in
            responder.handle(Self.message(.discover, mac: mac), action: .agent, now: Self.now).reply?.message.yiaddr
        }
        #expect(given == [IPv4Address(10, 77, 0, 50), IPv4Address(10, 77, 0, 52)])
    }

    @Test("whoever has a reservation gets the address, and no boot file where Slipway is to ignore it")
    func reservedStranger() throws {
        var responder = Self.responder(mode: .reservation, reservations: Self.reserved)
        let reply = try #require(
            responder.handle(Self.message(.discover, mac: 7), action: .ignore, now: Self.now).reply)
        #expect(reply.message.yiaddr == IPv4Address(10, 77, 0, 7) && reply.message.options[.bootFileName] == nil)
        #expect(responder.handle(Self.message(.discover, mac: 1), action: .agent, now: Self.now) == .silence)
    }

    @Test("auto: an address for a reserved machine, a boot file beside the other server for the rest")
    func auto() throws {
        var responder = Self.responder(mode: .auto, reservations: Self.reserved)
        let rest = try #require(responder.handle(Self.message(.discover), action: .agent, now: Self.now).reply)
        #expect(rest.message.yiaddr == .unspecified && rest.message.vendorClass == "PXEClient")
        #expect(rest.message.options[.leaseTime] == nil)
        // A REQUEST of the rest is for the other server.
        let request = Self.message(.request, requested: IPv4Address(10, 77, 0, 99))
        #expect(responder.handle(request, action: .agent, now: Self.now) == .silence)
    }

    @Test("50 machines, each with firmware, iPXE, agent and system, live on a pool of 60")
    func fifty() throws {
        var responder = Self.responder(100, 159)
        var addresses: Set<IPv4Address> = []
        for round in 0..<3 {
            let now = Self.now.addingTimeInterval(Double(round) * 700)
            for mac in 1...50 as ClosedRange<UInt8> {
                for client in ["PXEClient:Arch:00007", "PXEClient:Arch:00007:UNDI:003010", "slipway-agent", "system"] {
                    var discover = Self.message(.discover, mac: mac)
                    discover.set(.vendorClass, text: client)
                    discover.options[.clientIdentifier] = Array("\(client)\(mac)".utf8)
                    let offer = try #require(responder.handle(discover, action: .agent, now: now).reply)
                    let request = Self.message(.request, mac: mac, requested: offer.message.yiaddr, to: Self.server)
                    #expect(responder.handle(request, action: .agent, now: now).reply?.message.type == .ack)
                    addresses.insert(offer.message.yiaddr)
                }
            }
        }
        #expect(addresses.count == 50 && responder.pool.leases.count == 50)
    }

    @Test("a flood of made-up machines takes a full pool's offers only, and the known ones keep their addresses")
    func flood() throws {
        var responder = Self.responder()
        let own = IPv4Address(10, 77, 0, 51)
        _ = responder.handle(
            Self.message(.request, mac: 200, requested: own, to: Self.server), action: .agent, now: Self.now)
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            var discover = Self.message(.discover)
            discover.chaddr = [0x52] + generator.bytes(5)
            _ = responder.handle(discover, action: .agent, now: Self.now)
        }
        let known = responder.handle(Self.message(.discover, mac: 200), action: .agent, now: Self.now).reply
        #expect(known?.message.yiaddr == own)
    }
}

extension SubnetResponder {
    fileprivate mutating func handle(_ request: Message, action: BootAction, now: Date) -> Outcome {
        handle(
            request, Arrival(port: .server, source: (address: .unspecified, port: 68)), told: BootInstruction(action),
            now: now)
    }
}
