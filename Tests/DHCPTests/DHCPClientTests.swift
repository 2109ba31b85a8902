import DHCP
import NetworkAddresses
import TestSupport
import Testing

@Suite struct DHCPClientTests {
    static let mac = MACAddress(rawValue: 0x5254_0012_3456)
    static let server = IPv4Address(10, 77, 0, 1)
    static let address = IPv4Address(10, 77, 0, 50)

    static func client(former: IPv4Address? = nil) -> DHCPClient {
        DHCPClient(mac: mac, former: former, vendorClass: "slipway-agent", seed: 42)
    }

    static func sent(_ actions: [DHCPClient.Action]) -> Message? {
        for action in actions {
            switch action {
            case .broadcast(let message), .unicast(let message, _): return message
            default: continue
            }
        }
        return nil
    }

    static func answer(_ type: MessageType, to request: Message, address: IPv4Address = address, lease: UInt32 = 600)
        -> Message
    {
        var message = Message(operation: .reply, xid: request.xid, chaddr: request.chaddr)
        message.type = type
        message.yiaddr = address
        message.set(.serverIdentifier, [server])
        message.set(.subnetMask, [IPv4Address(255, 255, 255, 0)])
        message.set(.router, [server])
        message.set(.leaseTime, seconds: lease)
        return message
    }

    @Test("DISCOVER, OFFER, REQUEST, ACK")
    func dora() throws {
        var client = Self.client()
        let discover = try #require(Self.sent(client.handle(.started)))
        #expect(discover.type == .discover)
        #expect(discover.vendorClass == "slipway-agent")
        let request = try #require(Self.sent(client.handle(.received(Self.answer(.offer, to: discover)))))
        #expect(request.type == .request)
        #expect(request.requestedAddress == Self.address && request.serverIdentifier == Self.server)
        let actions = client.handle(.received(Self.answer(.ack, to: request)))
        guard case .configure(let lease) = actions.first else { throw Failure() }
        #expect(lease.address == Self.address && lease.prefixLength == 24 && lease.router == Self.server)
        #expect(actions.contains(.armTimer(.seconds(300))))
    }

    @Test("asks for the firmware's address first, and discovers when nobody knows it")
    func reboot() throws {
        var client = Self.client(former: Self.address)
        let request = try #require(Self.sent(client.handle(.started)))
        #expect(request.type == .request && request.requestedAddress == Self.address && request.serverIdentifier == nil)
        _ = client.handle(.timerFired)
        _ = client.handle(.timerFired)
        #expect(Self.sent(client.handle(.timerFired))?.type == .discover)
    }

    @Test("a NAK sends it back to DISCOVER")
    func nak() throws {
        var client = Self.client(former: Self.address)
        let request = try #require(Self.sent(client.handle(.started)))
        #expect(Self.sent(client.handle(.received(Self.answer(.nak, to: request))))?.type == .discover)
    }

    @Test("asks on and on: ten minutes of silence are no reason to stop")
    func patience() {
        var client = Self.client()
        var actions = client.handle(.started)
        for _ in 0..<100 {
            #expect(Self.sent(actions)?.type == .discover)
            actions = client.handle(.timerFired)
        }
    }

    @Test("renews at half time by unicast, and gives the address up when the lease is over")
    func renewal() throws {
        var client = Self.client()
        let discover = try #require(Self.sent(client.handle(.started)))
        let request = try #require(Self.sent(client.handle(.received(Self.answer(.offer, to: discover)))))
        _ = client.handle(.received(Self.answer(.ack, to: request)))
        let renewal = client.handle(.timerFired)
        guard case .unicast(let message, let server) = renewal.first else { throw Failure() }
        #expect(server == Self.server && message.ciaddr == Self.address)
        var actions = renewal
        var fired = 0
        while !actions.contains(.deconfigure), fired < 20 {
            actions = client.handle(.timerFired)
            fired += 1
        }
        #expect(actions.contains(.deconfigure))
        #expect(Self.sent(actions)?.type == .discover)
    }

    @Test("answers to others, and strays, are passed over")
    func strays() throws {
        var client = Self.client()
        let discover = try #require(Self.sent(client.handle(.started)))
        var stray = Self.answer(.offer, to: discover)
        stray.xid &+= 1
        #expect(client.handle(.received(stray)).isEmpty)
        var other = Self.answer(.offer, to: discover)
        other.chaddr = [9, 9, 9, 9, 9, 9]
        #expect(client.handle(.received(other)).isEmpty)
    }

    @Test("classless routes (RFC 3442), and broken ones count as none")
    func routes() throws {
        var ack = Self.answer(.ack, to: Message(operation: .request, xid: 1, chaddr: Self.mac.bytes))
        ack.options[.classlessRoutes] = bytes("18 c0a802 0a4d0001  00 0a4d0001")
        let lease = try #require(LeaseConfiguration(ack))
        #expect(lease.routes.map(\.prefixLength) == [24, 0])
        #expect(lease.routes[0].destination == IPv4Address(192, 168, 2, 0))
        ack.options[.classlessRoutes] = bytes("18 c0a8")
        #expect(LeaseConfiguration(ack)?.routes.isEmpty == true)
    }

    struct Failure: Error {}
}
