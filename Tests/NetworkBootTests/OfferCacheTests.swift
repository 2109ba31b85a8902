import DHCP
import FoundationEssentials
import Inventory
import Logging
import Machines
import NetworkAddresses
import Synchronization
import TestSupport
import Testing

@testable import NetworkBoot

/// Offers that are filled in are those that would have been made.
@Suite struct OfferCacheTests {
    /// Tells one machine this and the next one that, and keeps what is told of them.
    final class Director: NetworkBootDirector {
        let events = Mutex<[BootTraceEvent]>([])

        func instruction(for client: BootClient) -> BootInstruction {
            switch client.mac.rawValue >> 8 & 7 {
            case 0: BootInstruction(.ignore)
            case 1: BootInstruction(.agent, proxyForm: .bootMenu)
            case 2: BootInstruction(.agent, program: .signed)
            case 3: BootInstruction(.localDisk, program: .grub, proxyForm: .bootServer)
            case 4: BootInstruction(.agent, program: .file(client.uuid == nil ? "none.efi" : "own.efi"))
            default: BootInstruction(.agent)
            }
        }
        func script(for client: BootClient) -> BootScript { .refuse("a test") }
        func record(_ event: BootTraceEvent) { events.withLock { $0.append(event) } }
    }

    /// A desk for two subnets, one beside another server and one with addresses of its own.
    final class Room {
        let director = Director()
        let desk: DHCPDesk
        let sent = Sent()

        final class Sent: Sendable {
            let packets = Mutex<[ReplyPacket]>([])
        }

        init() throws {
            let lan = Subnet(
                mode: .proxy, interface: "eth1", network: IPv4Network("10.77.0.0/24"), server: .init(10, 77, 0, 1))
            let other = Subnet(
                mode: .proxy, interface: "eth2", network: IPv4Network("10.78.0.0/24"), server: .init(10, 78, 0, 1))
            desk = DHCPDesk(
                [lan, other].map {
                    .init(responder: SubnetResponder($0, files: BootFiles(bootPort: 8080)), journal: nil)
                },
                buckets: TokenBuckets(rate: 0), director: director,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                now: { Date(timeIntervalSince1970: 1_800_000_000) })
        }

        /// What is sent and noted for one packet.
        func ask(_ bytes: [UInt8], _ interface: String) -> ([ReplyPacket], [BootTraceEvent]) {
            let sent = sent
            desk.take(bytes, Arrival(port: .server, interface: interface, source: ProxyAnswerTests.nobody)) { packet in
                sent.packets.withLock { $0.append(packet) }
            }
            defer {
                sent.packets.withLock { $0 = [] }
                director.events.withLock { $0 = [] }
            }
            return (sent.packets.withLock { $0 }, director.events.withLock { $0 })
        }
    }

    static func question(_ random: inout SeededGenerator) -> [UInt8] {
        let architectures: [ClientArchitecture?] = [nil, .biosX86, .efiX64, .efiX64HTTP, .efiIA32]
        let vendors = ["PXEClient:Arch:00007:UNDI:003000", "HTTPClient:Arch:00016", nil]
        var question = ProxyAnswerTests.discover(
            architectures.randomElement(using: &random) ?? nil, vendor: vendors.randomElement(using: &random) ?? nil,
            iPXE: Int.random(in: 0..<8, using: &random) == 0)
        question.chaddr = [UInt8.random(in: 0..<6, using: &random), 0, 0, 0] + random.bytes(2)
        question.xid = .random(in: 0...(.max), using: &random)
        question.secs = .random(in: 0...9, using: &random)
        if Bool.random(using: &random) { question.type = .request }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: question.options[.machineIdentifier] = [UInt8.random(in: 0...1, using: &random)] + random.bytes(16)
        case 1: question.options[.machineIdentifier] = [0] + random.bytes(4)
        case 2...4: question.options[.machineIdentifier] = [0] + random.bytes(16)
        default: break
        }
        if Bool.random(using: &random) { question.options[.clientIdentifier] = [1] + question.chaddr }
        if Int.random(in: 0..<4, using: &random) == 0 {
            question.giaddr = .init(10, Bool.random(using: &random) ? 77 : 78, 0, 9)
            question.options[.relayAgentInformation] = [1, 2, 7, UInt8.random(in: 0...1, using: &random)]
        }
        var bytes = question.encoded
        switch Int.random(in: 0..<12, using: &random) {
        case 0: bytes.removeLast(Int.random(in: 0..<80, using: &random))
        case 1: bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        // A second part of a value (RFC 3396).
        case 2: bytes.replaceSubrange(240..<240, with: [97, 2, 0, UInt8.random(in: 0...255, using: &random)])
        default: break
        }
        return bytes
    }

    @Test("a desk that has seen thousands of machines answers as one that has seen none")
    func sameAnswers() throws {
        var random = SeededGenerator(seed: 7)
        let seasoned = try Room()
        var answered = 0
        for number in 0..<4000 {
            let question = Self.question(&random)
            let interface = Bool.random(using: &random) ? "eth1" : "eth2"
            let (packets, events) = seasoned.ask(question, interface)
            let (expected, told) = try Room().ask(question, interface)
            try #require(packets == expected, "question \(number)")
            try #require(events == told, "question \(number)")
            answered += packets.count
        }
        // The comparison would mean little if they were all silent.
        #expect(answered > 400)
    }

    @Test("machines of one model share one entry; another model, interface or instruction does not match")
    func matches() throws {
        var cache = OfferCache()
        var question = ProxyAnswerTests.discover(.efiX64)
        question.options[.machineIdentifier] = [0] + Array(1...16)
        question.options[.clientIdentifier] = [1] + question.chaddr
        let reply = try #require(
            ProxyAnswerTests.reply(to: question, on: .server, from: ProxyAnswerTests.nobody, action: .agent))
        let client = try #require(question.bootClient())
        cache.keep(
            reply, reply.packet, to: question.encoded, question, interface: "eth1", client,
            told: BootInstruction(.agent))

        var other = question
        other.chaddr = [0x52, 0x54, 0, 9, 9, 9]
        other.xid = 77
        other.options[.machineIdentifier] = [0] + Array(21...36)
        other.options[.clientIdentifier] = [1] + other.chaddr
        let found = cache.match(other.encoded, interface: "eth1")
        let match = try #require(found)
        #expect(match.client == other.bootClient())
        #expect(match.offer(BootInstruction(.agent)) != nil)
        #expect(match.offer(BootInstruction(.agent, proxyForm: .bootMenu)) == nil)
        let elsewhere = cache.match(other.encoded, interface: "eth2")
        #expect(elsewhere?.client == nil)
        other.chaddr[0] |= 1
        let group = cache.match(other.encoded, interface: "eth1")
        #expect(group?.client == nil)
        let model = cache.match(ProxyAnswerTests.discover(.biosX86).encoded, interface: "eth1")
        #expect(model?.client == nil)
    }
}
