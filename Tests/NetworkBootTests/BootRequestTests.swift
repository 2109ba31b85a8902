import DHCP
import Inventory
import Machines
import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct BootRequestTests {
    @Test(
        "paths lead where they should, however firmware joins them",
        arguments: [
            ("/agent/vmlinuz", BootRequest.agent(AgentFile(.kernel))), ("//agent//initrd", .agent(AgentFile(.initrd))),
            ("/agent/arm64/vmlinuz", .agent(AgentFile(.kernel, .arm64))),
            ("/agent//arm64/initrd", .agent(AgentFile(.initrd, .arm64))),
            ("/agent", .nothing("no such path")), ("/agent/arm64", .nothing("no such path")),
            ("/agent/amd64/vmlinuz", .nothing("no such path")), ("/agent/arm64/x/vmlinuz", .nothing("no such path")),
            ("/agent/arm64%2fvmlinuz", .nothing("bad path")), ("/arm64/vmlinuz", .nothing("no such path")),
            ("/images/abc", .image("abc")),
            ("/boot/files/ipxe.efi", .bootFile("ipxe.efi")), ("/boot/files/a/b%20c", .bootFile("a/b c")),
            ("/boot/files/../../etc/passwd", .nothing("bad path")),
            ("/boot/files/..%2f..%2fetc/passwd", .nothing("bad path")),
            ("/boot/files/%00", .nothing("bad path")), ("/boot/files/%zz", .nothing("bad path")),
            ("/", .nothing("no such path")),
            ("/boot/ipxe", .nothing("a script is for a MAC address")),
            ("/boot/ipxe?mac=x", .nothing("a script is for a MAC address")),
            ("/boot/grub/x86_64-efi/x", .nothing("a configuration is for a MAC address")),
            ("/grub/grub.cfg", .grubConfiguration), ("/boot/files/grub/grub.cfg", .grubConfiguration),
        ])
    func routes(target: String, request: BootRequest) { #expect(BootRequest(target: target, client: nil) == request) }

    @Test("a script request tells MAC, UUID and architecture")
    func script() throws {
        let target = "/boot/ipxe?mac=52:54:00:12:34:56&arch=7&uuid=5fae6edbc3c2b04e807d8c22c0b0f27e"
        guard case .script(let client) = BootRequest(target: target, client: IPv4Address(10, 77, 0, 50)) else {
            Issue.record("no script")
            return
        }
        #expect(client.architecture == .efiX64 && client.stage == .ipxe)
        #expect(client.mac == MACAddress("52:54:00:12:34:56"))
        #expect(client.uuid?.bytes == bytes("5fae6edbc3c2b04e807d8c22c0b0f27e"))
        #expect(client.address == IPv4Address(10, 77, 0, 50))
    }

    @Test(
        "names by TFTP: boot files, and what GRUB asks for by the protocol that brought it",
        arguments: [
            ("snponly.efi", .bootFile("snponly.efi")), ("\\EFI\\own.efi", .bootFile("/EFI/own.efi")),
            ("/agent/vmlinuz", .agent(AgentFile(.kernel))), ("agent/initrd", .agent(AgentFile(.initrd))),
            ("/agent/secret", .nothing("no such path")), ("agent\\arm64\\initrd", .agent(AgentFile(.initrd, .arm64))),
            ("/grub/grub.cfg", .grubConfiguration), ("/grub/x86_64-efi/fs.lst", .bootFile("/grub/x86_64-efi/fs.lst")),
            ("boot/ipxe?mac=52:54:00:12:34:56", .bootFile("boot/ipxe?mac=52:54:00:12:34:56")),
            (
                "/boot/grub/x86_64-efi/52:54:00:12:34:56",
                .script(
                    BootClient(
                        mac: MACAddress(rawValue: 0x5254_0012_3456), architecture: .efiX64, stage: .grub, address: nil))
            ),
        ] as [(String, BootRequest)])
    func tftp(name: String, request: BootRequest) { #expect(BootRequest(tftp: name, client: nil) == request) }

    @Test(
        "byte ranges (RFC 9110 §14)",
        arguments: [
            (nil, ByteRange.whole), ("bytes=0-9", .part(0..<10)), ("bytes=90-", .part(90..<100)),
            ("bytes=-10", .part(90..<100)),
            ("bytes=90-200", .part(90..<100)), ("bytes=100-", .unsatisfiable), ("bytes=-0", .unsatisfiable),
            ("bytes=9-3", .whole),
            ("bytes=0-1,5-6", .whole), ("lines=1-2", .whole), ("bytes=x-y", .whole), ("bytes=-", .whole),
        ] as [(String?, ByteRange)])
    func ranges(header: String?, range: ByteRange) { #expect(ByteRange(header: header, size: 100) == range) }
}

@Suite struct FileAnswerTests {
    @Test(
        "a client that has the file is told so; parts of another version are not given (RFC 9110 §13)",
        arguments: [
            ([:], .range(.whole)), (["If-None-Match": "\"a-1\""], .notModified), (["If-None-Match": "*"], .notModified),
            (["If-None-Match": "\"b\", W/\"a-1\""], .notModified), (["If-None-Match": "\"b\""], .range(.whole)),
            (["Range": "bytes=10-19"], .range(.part(10..<20))),
            (["Range": "bytes=10-19", "If-Range": "\"a-1\""], .range(.part(10..<20))),
            (["Range": "bytes=10-19", "If-Range": "\"b\""], .range(.whole)),
            (["Range": "bytes=10-19", "If-Range": "Wed, 21 Oct 2015 07:28:00 GMT"], .range(.whole)),
            (["Range": "bytes=200-"], .range(.unsatisfiable)),
        ] as [([String: String], FileAnswer)])
    func answers(headers: [String: String], answer: FileAnswer) {
        #expect(FileAnswer(tag: "\"a-1\"", size: 100) { headers[$0] } == answer)
    }
}
