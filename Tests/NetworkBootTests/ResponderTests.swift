import DHCP
import FoundationEssentials
import Machines
import NetworkAddresses
import Testing

@testable import NetworkBoot

@Suite struct ProxyResponderTests {
    static let server = IPv4Address(10, 77, 0, 1)
    static let responder = ProxyResponder(server: server, files: BootFiles(bootURL: "http://10.77.0.1:8080"))
    static let nobody = (address: IPv4Address.unspecified, port: 68)

    static func discover(
        _ architecture: ClientArchitecture?, vendor: String? = "PXEClient:Arch:00007:UNDI:003000", iPXE: Bool = false
    )
        -> Message
    {
        var message = Message(operation: .request, xid: 9, chaddr: [0x52, 0x54, 0, 0x12, 0x34, 0x56])
        message.type = .discover
        message.flags = Message.broadcastFlag
        if let architecture {
            message.options[.clientArchitecture] = [
                UInt8(architecture.rawValue >> 8), UInt8(truncatingIfNeeded: architecture.rawValue),
            ]
        }
        if let vendor { message.set(.vendorClass, text: vendor) }
        if iPXE { message.options[.userClass] = Array("iPXE".utf8) }
        return message
    }

    static func file(_ reply: Reply?) -> String? {
        reply?.message.options[.bootFileName].map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "the boot file follows from the architecture (RFC 4578, IANA)",
        arguments: [
            (.biosX86, "undionly.kpxe"), (nil, "undionly.kpxe"), (.efiX64, "snponly.efi"), (.efiBC, "snponly.efi"),
            (.efiARM64, "grubaa64.efi"), (.efiIA32, nil),
        ] as [(ClientArchitecture?, String?)])
    func bootFile(architecture: ClientArchitecture?, file: String?) {
        let reply = Self.responder.reply(
            to: Self.discover(architecture), on: .server, from: Self.nobody, action: .agent)
        #expect(Self.file(reply) == file)
        #expect((reply == nil) == (file == nil))
    }

    @Test("an operator's own program serves TFTP and HTTP, and replaces a standard one")
    func ownPrograms() {
        let files = BootFiles(
            bootURL: "http://10.77.0.1:8080", programs: [.efiIA32: "ia32.efi", .efiX64: "own.efi"])
        #expect(files.file(for: Self.discover(.efiIA32)) == "ia32.efi")
        #expect(files.file(for: Self.discover(.efiX64)) == "own.efi")
        #expect(files.file(for: Self.discover(.efiBC)) == "snponly.efi")
        #expect(
            files.file(for: Self.discover(.efiIA32HTTP, vendor: "HTTPClient:Arch:00015"))
                == "http://10.77.0.1:8080/boot/files/ia32.efi")
        #expect(files.file(for: Self.discover(.efiARM32HTTP, vendor: "HTTPClient:Arch:00018")) == nil)
    }

    @Test("UEFI HTTP boot gets a URL and option 60 HTTPClient")
    func http() {
        let request = Self.discover(.efiX64HTTP, vendor: "HTTPClient:Arch:00016:UNDI:003000")
        let reply = Self.responder.reply(to: request, on: .server, from: Self.nobody, action: .agent)
        #expect(Self.file(reply) == "http://10.77.0.1:8080/boot/files/snponly.efi")
        #expect(reply?.message.vendorClass == "HTTPClient")
        #expect(reply?.message.yiaddr == .unspecified)
    }

    @Test("iPXE gets its script and never a program: that would loop for ever")
    func ipxe() {
        let reply = Self.responder.reply(
            to: Self.discover(.biosX86, iPXE: true), on: .server, from: Self.nobody, action: .agent)
        #expect(Self.file(reply) == "http://10.77.0.1:8080/boot/ipxe?mac=52:54:00:12:34:56&arch=0")
    }

    @Test("PXE offers say that no other server is to be asked (PXE 2.1, option 43.6 = 8)")
    func discoveryControl() {
        let reply = Self.responder.reply(to: Self.discover(.efiX64), on: .server, from: Self.nobody, action: .agent)
        #expect(reply?.message.options[.vendorSpecific] == [6, 1, 8, 255])
        #expect(reply?.message.vendorClass == "PXEClient")
        #expect(reply?.destination == .broadcast)
    }

    @Test("OVMF is answered on 4011 at the port it asked from (capture proxyuefi)")
    func port4011() {
        var request = Self.discover(.efiX64)
        request.type = .request
        request.ciaddr = IPv4Address(10, 77, 0, 60)
        let reply = Self.responder.reply(
            to: request, on: .proxy, from: (address: IPv4Address(10, 77, 0, 60), port: 4011), action: .agent)
        #expect(reply?.message.type == .ack)
        #expect(reply?.destination == .unicast(IPv4Address(10, 77, 0, 60), port: 4011))
    }

    @Test("silent to all that is not a network boot of a machine it serves")
    func silence() {
        let plain = Self.discover(nil, vendor: "udhcp 1.35.0")
        #expect(Self.responder.reply(to: plain, on: .server, from: Self.nobody, action: .agent) == nil)
        #expect(
            Self.responder.reply(to: Self.discover(nil, vendor: nil), on: .server, from: Self.nobody, action: .agent)
                == nil)
        #expect(
            Self.responder.reply(to: Self.discover(.efiX64), on: .server, from: Self.nobody, action: .ignore) == nil)
        var request = Self.discover(.efiX64)
        request.type = .request
        #expect(Self.responder.reply(to: request, on: .server, from: Self.nobody, action: .agent) == nil)
    }
}

@Suite struct FullResponderTests {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)
    static let server = IPv4Address(10, 77, 0, 1)

    static func responder(_ first: UInt8 = 50, _ last: UInt8 = 52) -> FullResponder {
        FullResponder(
            server: server, files: BootFiles(bootURL: "http://10.77.0.1:8080"),
            subnet: .init(prefixLength: 24, router: nil, nameServers: []),
            pool: LeasePool(range: IPv4Address(10, 77, 0, first)...IPv4Address(10, 77, 0, last)))
    }

    static func message(
        _ type: MessageType, mac: UInt8 = 1, requested: IPv4Address? = nil, to server: IPv4Address? = nil
    ) -> Message {
        var message = ProxyResponderTests.discover(.efiX64)
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
        #expect(responder.handle(other, action: .agent, now: Self.now) == .init(reply: nil, lease: nil))
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
}
