import DHCP
import FoundationEssentials
import Machines
import NetworkAddresses
import Testing

@testable import NetworkBoot

/// What machines are told by DHCPv6.
@Suite struct DHCPv6AnswerTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let mac = MACAddress(rawValue: 0x0016_3e00_0061)
    static let prefix: UInt64 = 0xfd97_0000_0000_0000
    static let own = IPv6Address(high: prefix, low: 0x5c10_0016_3e00_0061)
    static let identifier: [UInt8] = [0, 4] + Array(repeating: 9, count: 16)

    static func responder(_ mode: DHCPv6Network.Mode = .address, tftpPort: Int = 69) -> DHCPv6Responder {
        var network = DHCPv6Network(
            mode: mode, interface: "eth1", prefix: prefix, server: IPv6Address(high: prefix, low: 1),
            nameServers: [IPv6Address(high: prefix, low: 0x53)])
        network.domainName = "rack.example"
        return DHCPv6Responder(network, files: BootFiles(bootPort: 8080), tftpPort: tftpPort, identifier: identifier)
    }

    static func message(
        _ type: DHCPv6MessageType, vendor: String? = "PXEClient:Arch:00007", architecture: UInt8 = 7,
        iPXE: Bool = false,
        server: [UInt8]? = nil, associations: Int = 1, having: [IPv6Address] = []
    ) -> DHCPv6Message {
        var message = DHCPv6Message(type, transaction: 0x123456)
        message.options[.clientIdentifier] = [0, 4] + Array(repeating: 1, count: 16)
        message.options[.serverIdentifier] = server
        for id in 0..<associations {
            var value: [UInt8] = [0, 0, 0, UInt8(id + 1)] + Array(repeating: 0, count: 8)
            for address in having where id == 0 {
                value += [0, 5, 0, 24] + address.bytes + Array(repeating: 0, count: 8)
            }
            message.options.append(.addressAssociation, value)
        }
        if let vendor {
            message.options[.vendorClass] = [0, 0, 1, 87, 0, UInt8(vendor.utf8.count)] + Array(vendor.utf8)
        }
        message.options[.clientArchitecture] = [0, architecture]
        if iPXE { message.options[.userClass] = [0, 4] + Array("iPXE".utf8) }
        return message
    }

    static func answer(
        _ message: DHCPv6Message, _ responder: DHCPv6Responder = responder(), mac: MACAddress? = mac,
        _ action: BootAction = .agent
    ) -> DHCPv6Message? {
        var responder = responder
        return responder.handle(message, mac: mac, told: BootInstruction(action), now: now)
    }

    static func url(_ message: DHCPv6Message?) -> String? {
        message?.options[.bootFileURL].map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("every kind of client is told its URL")
    func urls() {
        let rows: [(DHCPv6Message, String?)] = [
            (Self.message(.solicit), "tftp://[fd97::1]/snponly.efi"),
            (
                Self.message(.solicit, vendor: "HTTPClient:Arch:00016", architecture: 16),
                "http://[fd97::1]:8080/boot/files/snponly.efi"
            ),
            (Self.message(.solicit, architecture: 11), "tftp://[fd97::1]/grubaa64.efi"),
            (Self.message(.solicit, architecture: 27), nil),
            (
                Self.message(.solicit, iPXE: true),
                "http://[fd97::1]:8080/boot/ipxe?mac=00:16:3e:00:00:61&arch=7&uuid=01010101010101010101010101010101"
            ),
            // An installed system has no use for one.
            (Self.message(.solicit, vendor: nil), nil),
        ]
        for (message, url) in rows { #expect(Self.url(Self.answer(message)) == url) }
        #expect(
            Self.url(Self.answer(Self.message(.solicit), Self.responder(tftpPort: 6969)))
                == "tftp://[fd97::1]:6969/snponly.efi")
        // EDK2's HTTP boot passes an offer over without these words; PXE and iPXE need none.
        let http = Self.answer(Self.message(.solicit, vendor: "HTTPClient:Arch:00016", architecture: 16))
        #expect(
            http?.options.vendorClass == "HTTPClient"
                && Self.answer(Self.message(.solicit))?.options[.vendorClass] == nil)
    }

    @Test("SOLICIT, ADVERTISE, REQUEST, REPLY; firmware, iPXE and system have one address")
    func exchange() throws {
        let advertise = try #require(Self.answer(Self.message(.solicit)))
        #expect(advertise.type == .advertise && advertise.transaction == 0x123456)
        #expect(advertise.options.associations.map(\.addresses) == [[Self.own]])
        #expect(advertise.options[.serverIdentifier] == Self.identifier)
        #expect(advertise.options[.nameServers] == IPv6Address(high: Self.prefix, low: 0x53).bytes)
        #expect(advertise.options[.domainList] == [4] + Array("rack".utf8) + [7] + Array("example".utf8) + [0])
        for message in [
            Self.message(.request, server: Self.identifier),
            Self.message(.request, iPXE: true, server: Self.identifier),
            Self.message(.renew, vendor: nil, server: Self.identifier), Self.message(.rebind, vendor: nil),
        ] {
            let reply = try #require(Self.answer(message))
            #expect(reply.type == .reply && reply.options.associations.map(\.addresses) == [[Self.own]])
        }
        #expect(MachineAddress.mac(in: Self.own) == Self.mac)
        var rapid = Self.message(.solicit)
        rapid.options[.rapidCommit] = []
        #expect(Self.answer(rapid)?.type == .reply && Self.answer(rapid)?.options[.rapidCommit] == [])
    }

    @Test("what is not for us, or not allowed, meets silence (RFC 8415 §16)")
    func silence() {
        let other: [UInt8] = [0, 4] + Array(repeating: 7, count: 16)
        var anonymous = Self.message(.solicit)
        anonymous.options[.clientIdentifier] = nil
        for message in [
            Self.message(.solicit, server: Self.identifier), Self.message(.request, server: other),
            Self.message(.request),
            Self.message(.rebind, server: Self.identifier), Self.message(.release, server: other),
            Self.message(.advertise),
            Self.message(.reply), anonymous, Self.message(.confirm, associations: 0),
        ] { #expect(Self.answer(message) == nil, "\(message)") }
        #expect(Self.answer(Self.message(.solicit), Self.responder(), .ignore) == nil)
        // Beside a router whose prefix is enough, addresses are not ours to give.
        #expect(Self.answer(Self.message(.solicit), Self.responder(.stateless)) == nil)
        let told = Self.answer(
            Self.message(.informationRequest, iPXE: true, associations: 0), Self.responder(.stateless))
        #expect(told?.type == .reply && Self.url(told)?.hasPrefix("http://[fd97::1]:8080/boot/ipxe?") ?? false)
    }

    @Test("EDK2 waits for the answer to its RELEASE for ever: even one that is ignored gets it")
    func release() {
        let reply = Self.answer(Self.message(.release, vendor: nil, server: Self.identifier), Self.responder(), .ignore)
        #expect(reply?.type == .reply && reply?.options[.statusCode]?.prefix(2) == [0, 0])
    }

    @Test("an address in use is not given again for a while, and the old one is said to be over")
    func decline() throws {
        var responder = Self.responder()
        func handle(_ message: DHCPv6Message, after seconds: Double = 0) -> DHCPv6Message? {
            responder.handle(
                message, mac: Self.mac, told: BootInstruction(.agent), now: Self.now.addingTimeInterval(seconds))
        }
        _ = handle(Self.message(.decline, server: Self.identifier, having: [Self.own]))
        // A stranger's word for it counts nothing.
        let other = MACAddress(rawValue: 7)
        _ = responder.handle(
            Self.message(
                .decline, server: Self.identifier,
                having: [MachineAddress(of: Self.mac, prefix: Self.prefix, attempt: 1).address]),
            mac: other, told: BootInstruction(.ignore), now: Self.now)
        let next = IPv6Address(high: Self.prefix, low: 0x5c11_0016_3e00_0061)
        #expect(handle(Self.message(.solicit))?.options.associations.map(\.addresses) == [[next]])
        let renewed = handle(Self.message(.renew, server: Self.identifier, having: [Self.own]))
        let association = try #require(renewed?.options[.addressAssociation])
        #expect(AddressAssociation.grant(next, to: 1, seconds: 3600, over: [Self.own]) == association)
        #expect(MachineAddress.mac(in: next) == Self.mac)
        #expect(handle(Self.message(.solicit), after: 3601)?.options.associations.map(\.addresses) == [[Self.own]])
    }

    @Test("CONFIRM: of this network or not")
    func confirm() {
        func status(_ address: IPv6Address) -> [UInt8]? {
            Self.answer(Self.message(.confirm, having: [address]))?.options[.statusCode].map { Array($0.prefix(2)) }
        }
        #expect(status(Self.own) == [0, 0] && status(IPv6Address(high: 1, low: 2)) == [0, 4])
    }

    @Test("one machine has one address, whatever it asks for; who tells no MAC has one too, and no boot")
    func one() throws {
        let two = try #require(Self.answer(Self.message(.solicit, associations: 2)))
        #expect(two.options.associations.map(\.addresses) == [[Self.own], []])
        let anonymous = try #require(Self.answer(Self.message(.solicit), mac: nil, .localDisk))
        #expect(anonymous.options.associations[0].addresses[0].low >> 48 == 0x5c20 && Self.url(anonymous) == nil)
    }

    @Test("through two relays and back; the first one's word of the MAC counts most")
    func relayed() throws {
        let client = try #require(IPv6Address("fe80::1111:2222:3333:4444"))
        let link = IPv6Address(high: Self.prefix, low: 0xff)
        var inner = try DHCPv6RelayMessage(parsing: [12, 0] + link.bytes + client.bytes)
        inner.options[.interfaceID] = Array("port 7".utf8)
        inner.options[.clientLinkLayer] = [0, 1] + Self.mac.bytes
        inner.options[.relayMessage] = Self.message(.solicit).encoded
        var outer = try DHCPv6RelayMessage(parsing: [12, 1] + IPv6Address.unspecified.bytes + link.bytes)
        outer.options[.relayMessage] = inner.encoded
        let arrival = try DHCPv6Arrival(parsing: outer.encoded, from: link)
        #expect(arrival.mac == Self.mac && arrival.link == link && arrival.peer == client && arrival.isRelayed)
        let answer = try #require(Self.answer(arrival.message))
        let back = try DHCPv6RelayMessage(parsing: arrival.datagram(answer))
        #expect(back.type == .relayReply && back.hops == 1 && back.peer == link)
        let within = try DHCPv6RelayMessage(parsing: try #require(back.options[.relayMessage]))
        #expect(
            within.type == .relayReply && within.peer == client && within.options[.interfaceID] == Array("port 7".utf8))
        #expect(within.options[.relayMessage] == answer.encoded)
        // Envelopes without end are no message.
        var deep = Self.message(.solicit).encoded
        for _ in 0..<9 {
            var relay = try DHCPv6RelayMessage(parsing: [12, 0] + link.bytes + link.bytes)
            relay.options[.relayMessage] = deep
            deep = relay.encoded
        }
        #expect(throws: (any Error).self) { try DHCPv6Arrival(parsing: deep, from: link) }
    }

    @Test("networks that cannot be served are told in words")
    func faults() {
        let good = Self.responder().network
        #expect(DHCPv6Network.faults(of: [good]).isEmpty)
        #expect(DHCPv6Network.faults(of: [good, good]).count == 2)
        var bad = good
        bad.domainName = "rack." + String(repeating: "x", count: 300)
        #expect(DHCPv6Network.faults(of: [bad]).first?.contains("domain_name") ?? false)
        bad = good
        bad.server = IPv6Address(high: 0xfe80 << 48, low: 1)
        #expect(DHCPv6Network.faults(of: [bad]).first?.contains("fe80::1") ?? false)
    }
}
