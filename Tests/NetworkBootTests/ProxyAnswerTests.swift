import DHCP
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses
import Testing

@testable import NetworkBoot

/// Boot answers beside another DHCP server.
@Suite struct ProxyAnswerTests {
    static let server = IPv4Address(10, 77, 0, 1)
    static let files = BootFiles(bootPort: 8080)

    static func reply(
        to request: Message, on port: Arrival.Port, from source: (address: IPv4Address, port: Int), action: BootAction,
        program: BootProgram = .standard, form: ProxyForm = .oneExchange
    ) -> Reply? {
        var responder = SubnetResponder(Subnet(mode: .proxy, interface: "eth1", server: server), files: files)
        let told = BootInstruction(action, program: program, proxyForm: form)
        return responder.handle(request, Arrival(port: port, source: source), told: told, now: Date()).reply
    }
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
        let reply = Self.reply(
            to: Self.discover(architecture), on: .server, from: Self.nobody, action: .agent)
        #expect(Self.file(reply) == file)
        #expect((reply == nil) == (file == nil))
    }

    @Test("an operator's own program serves TFTP and HTTP, and replaces a standard one")
    func ownPrograms() {
        let files = BootFiles(bootPort: 8080, programs: [.efiIA32: "ia32.efi", .efiX64: "own.efi"])
        func file(_ architecture: ClientArchitecture, http: Bool = false) -> String? {
            let vendor = http ? "HTTPClient:Arch:00015" : "PXEClient:Arch:00006"
            return files.file(for: Self.discover(architecture, vendor: vendor), server: Self.server)
        }
        #expect(file(.efiIA32) == "ia32.efi" && file(.efiX64) == "own.efi" && file(.efiBC) == "snponly.efi")
        #expect(file(.efiIA32HTTP, http: true) == "http://10.77.0.1:8080/boot/files/ia32.efi")
        #expect(file(.efiARM32HTTP, http: true) == nil)
    }

    @Test("UEFI HTTP boot gets a URL and option 60 HTTPClient")
    func http() {
        let request = Self.discover(.efiX64HTTP, vendor: "HTTPClient:Arch:00016:UNDI:003000")
        let reply = Self.reply(to: request, on: .server, from: Self.nobody, action: .agent)
        #expect(Self.file(reply) == "http://10.77.0.1:8080/boot/files/snponly.efi")
        #expect(reply?.message.vendorClass == "HTTPClient")
        #expect(reply?.message.yiaddr == .unspecified)
    }

    @Test("iPXE gets its script and never a program: that would loop for ever")
    func ipxe() {
        let reply = Self.reply(
            to: Self.discover(.biosX86, iPXE: true), on: .server, from: Self.nobody, action: .agent)
        #expect(Self.file(reply) == "http://10.77.0.1:8080/boot/ipxe?mac=52:54:00:12:34:56&arch=0")
    }

    @Test("PXE offers say that no other server is to be asked (PXE 2.1, option 43.6 = 8)")
    func discoveryControl() {
        let reply = Self.reply(to: Self.discover(.efiX64), on: .server, from: Self.nobody, action: .agent)
        #expect(reply?.message.options[.vendorSpecific] == [6, 1, 8, 255])
        #expect(reply?.message.vendorClass == "PXEClient")
        #expect(reply?.destination == .broadcast)
    }

    @Test("the other forms: no option 43, and a menu of one entry that points here (PXE 2.1 §2.2.3)")
    func otherForms() throws {
        let asking = Self.reply(
            to: Self.discover(.efiX64), on: .server, from: Self.nobody, action: .agent, form: .bootServer)
        #expect(asking?.message.options[.vendorSpecific] == nil && asking?.message.vendorClass == "PXEClient")
        let menu = try #require(
            Self.reply(to: Self.discover(.efiX64), on: .server, from: Self.nobody, action: .agent, form: .bootMenu)?
                .message.pxe)
        #expect(menu.discoveryControl == [.noBroadcast, .noMulticast, .listedServersOnly])
        #expect(menu.bootServers.map(\.addresses) == [[Self.server]] && menu.prompt?.seconds == 0)
        #expect(menu.bootMenu.map(\.type) == menu.bootServers.map(\.type))
        var chosen = Self.discover(.efiX64)
        chosen.type = .request
        chosen.ciaddr = IPv4Address(10, 77, 0, 60)
        chosen.pxe = PXEOptions(bootItem: .init(type: menu.bootMenu[0].type, layer: 0))
        let source = (address: IPv4Address(10, 77, 0, 60), port: 68)
        let answer = Self.reply(to: chosen, on: .proxy, from: source, action: .agent)
        #expect(answer?.message.pxe == chosen.pxe && Self.file(answer) == "snponly.efi")
    }

    @Test("iPXE is given its script in one exchange, whatever form its firmware needed")
    func formOfIPXE() {
        let reply = Self.reply(
            to: Self.discover(.biosX86, iPXE: true), on: .server, from: Self.nobody, action: .agent, form: .bootServer)
        #expect(reply?.message.pxe?.discoveryControl == [.bootFileInOffer])
    }

    @Test("the program follows from what the machine is known to need, by TFTP and by HTTP")
    func programs() {
        func file(_ program: BootProgram, _ architecture: ClientArchitecture = .efiX64) -> String? {
            let vendor = architecture.isHTTP ? "HTTPClient:Arch:00016" : "PXEClient:Arch:00007"
            return Self.files.file(for: Self.discover(architecture, vendor: vendor), program, server: Self.server)
        }
        #expect(file(.signed) == "shimx64.efi" && file(.grub, .efiBC) == "grubx64.efi")
        #expect(file(.signed, .efiX64HTTP) == "http://10.77.0.1:8080/boot/files/shimx64.efi")
        #expect(file(.file("own.efi")) == "own.efi")
        // There is no signed chain for these: what they are given otherwise.
        #expect(file(.signed, .biosX86) == "undionly.kpxe" && file(.grub, .efiARM64) == "grubaa64.efi")
    }

    @Test("OVMF is answered on 4011 at the port it asked from (capture proxyuefi)")
    func port4011() {
        var request = Self.discover(.efiX64)
        request.type = .request
        request.ciaddr = IPv4Address(10, 77, 0, 60)
        let reply = Self.reply(
            to: request, on: .proxy, from: (address: IPv4Address(10, 77, 0, 60), port: 4011), action: .agent)
        #expect(reply?.message.type == .ack)
        #expect(reply?.destination == .unicast(IPv4Address(10, 77, 0, 60), port: 4011))
    }

    @Test("silent to all that is not a network boot of a machine it serves")
    func silence() {
        let plain = Self.discover(nil, vendor: "udhcp 1.35.0")
        #expect(Self.reply(to: plain, on: .server, from: Self.nobody, action: .agent) == nil)
        #expect(
            Self.reply(to: Self.discover(nil, vendor: nil), on: .server, from: Self.nobody, action: .agent)
                == nil)
        #expect(
            Self.reply(to: Self.discover(.efiX64), on: .server, from: Self.nobody, action: .ignore) == nil)
        var request = Self.discover(.efiX64)
        request.type = .request
        #expect(Self.reply(to: request, on: .server, from: Self.nobody, action: .agent) == nil)
    }
}
