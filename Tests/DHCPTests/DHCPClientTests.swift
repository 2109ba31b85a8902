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
        let actions = client.handle(.received(Self.answer(.nak, to: request)))
        #expect(Self.sent(actions)?.type == .discover)
        #expect(actions.first == .tell("10.77.0.1 refused the address 10.77.0.50; asking for another"))
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

    @Test("says how long it has waited, to servers in `secs` and to people less and less often")
    func waiting() throws {
        var client = Self.client()
        var seconds: [UInt16] = []
        var told = 0
        var actions = client.handle(.started)
        for _ in 0..<64 {
            seconds.append(try #require(Self.sent(actions)).secs)
            actions = client.handle(.timerFired)
            for case .tell in actions { told += 1 }
        }
        #expect(seconds[0] == 0 && seconds == seconds.sorted())
        #expect((12...18).contains(seconds[4]) && seconds[63] > 400)
        #expect(told == 5)
    }

    @Test(
        "T1 and T2 (RFC 2131 §4.4.5): told, or half and seven eighths; times out of order count as not told",
        arguments: [
            (nil, nil, 300, 525), (100, 200, 100, 200), (100, nil, 100, 525), (550, nil, 300, 525),
            (nil, 700, 300, 525),
            (nil, 200, 200, 200), (0, 0, 300, 525),
        ] as [(UInt32?, UInt32?, Int64, Int64)])
    func times(renewal: UInt32?, rebinding: UInt32?, t1: Int64, t2: Int64) throws {
        var ack = Self.answer(.ack, to: Message(operation: .request, xid: 1, chaddr: Self.mac.bytes))
        if let renewal { ack.set(.renewalTime, seconds: renewal) }
        if let rebinding { ack.set(.rebindingTime, seconds: rebinding) }
        let lease = try #require(LeaseConfiguration(ack))
        #expect(lease.renewalSeconds == t1 && lease.rebindingSeconds == t2)
    }

    @Test("asks its server at T1, any server at T2, and gives the address up when the lease is over")
    func renewal() throws {
        var client = Self.client()
        let discover = try #require(Self.sent(client.handle(.started)))
        let request = try #require(Self.sent(client.handle(.received(Self.answer(.offer, to: discover)))))
        var actions = client.handle(.received(Self.answer(.ack, to: request)))
        var age: Int64 = 0
        var unicasts: [Int64] = []
        var broadcasts: [Int64] = []
        while !actions.contains(.deconfigure), age < 1000 {
            for action in actions {
                switch action {
                case .unicast(let message, let server):
                    #expect(server == Self.server && message.ciaddr == Self.address)
                    unicasts.append(age)
                case .broadcast(let message):
                    #expect(message.ciaddr == Self.address && message.serverIdentifier == nil)
                    broadcasts.append(age)
                default: break
                }
            }
            for case .armTimer(let wait) in actions { age += wait.components.seconds }
            actions = client.handle(.timerFired)
        }
        #expect(age == 600)
        #expect(unicasts.first == 300 && unicasts.allSatisfy { $0 < 525 } && unicasts.count > 2)
        #expect(broadcasts.first == 525 && broadcasts.count > 1)
        #expect(Self.sent(actions)?.type == .discover)
    }

    @Test("an ACK to a renewal starts the lease anew")
    func renewed() throws {
        var client = Self.client()
        let discover = try #require(Self.sent(client.handle(.started)))
        let request = try #require(Self.sent(client.handle(.received(Self.answer(.offer, to: discover)))))
        _ = client.handle(.received(Self.answer(.ack, to: request)))
        let renewal = try #require(Self.sent(client.handle(.timerFired)))
        let actions = client.handle(.received(Self.answer(.ack, to: renewal, lease: 1200)))
        #expect(actions.last == .armTimer(.seconds(600)))
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
