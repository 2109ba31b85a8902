import DHCP
import Foundation
import Inventory
import Machines
import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct ScriptTests {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../ipxe-scripts"
    ).path

    static func scripts() throws -> BootScripts { try BootScripts(directory: directory) }

    @Test("the agent's script carries its arguments on the kernel line")
    func agent() throws {
        let arguments = [try KernelArgument("slipway.server", "https://10.77.0.1:8443"), try KernelArgument("quiet")]
        let script = try Self.scripts().render(
            .agent(arguments), for: Self.client(.efiX64), bootURL: "http://10.77.0.1:8080")
        #expect(script.name == "agent")
        let text = script.text ?? ""
        let kernel = text.split(separator: "\n").filter { $0.hasPrefix("kernel ") }
        #expect(
            kernel == [
                "kernel http://10.77.0.1:8080/agent/vmlinuz initrd=initrd console=tty0 console=ttyS0,115200 quiet cryptomgr.notests slipway.server=https://10.77.0.1:8443 quiet "
                    + "BOOTIF=01-${net0/mac:hexhyp} || goto failed"
            ])
        #expect(text.contains("initrd --name initrd http://10.77.0.1:8080/agent/initrd || goto failed\n"))
        #expect(!text.contains("{{"))
    }

    @Test("arm64 gets its own agent and loader, and no console: its kernel is told that by the firmware")
    func arm64() throws {
        let scripts = try Self.scripts()
        let agent = BootScript.agent([try KernelArgument("slipway.ticket", "t")])
        for client in [ClientArchitecture.efiARM64, .efiARM64HTTP] {
            let ipxe = scripts.render(agent, for: Self.client(client), bootURL: "http://10.77.0.1:8080").text ?? ""
            #expect(ipxe.contains("kernel http://10.77.0.1:8080/agent/arm64/vmlinuz initrd=initrd  quiet "))
            #expect(ipxe.contains("initrd --name initrd http://10.77.0.1:8080/agent/arm64/initrd ||"))
            let grub = scripts.render(agent, for: Self.client(client, .grub), bootURL: "").text ?? ""
            #expect(grub.contains("if linux /agent/arm64/vmlinuz  quiet ") && grub.contains("'slipway.ticket=t'"))
            #expect(grub.contains("if initrd /agent/arm64/initrd; then") && !(ipxe + grub).contains("console="))
        }
        for (client, loader) in [
            (ClientArchitecture.efiX64, "BOOTX64"), (.efiIA32, "BOOTIA32"), (.efiARM64, "BOOTAA64"),
        ] {
            let disk = scripts.render(
                .localDisk(.grub, volume: "7E1F-02AB"), for: Self.client(client, .grub), bootURL: "")
            #expect(disk.text?.contains("chainloader /EFI/BOOT/\(loader).EFI\n") ?? false)
        }
    }

    static func client(_ architecture: ClientArchitecture, _ stage: BootClient.Stage = .ipxe) -> BootClient {
        BootClient(mac: MACAddress(rawValue: 0x5254_0012_3456), architecture: architecture, stage: stage)
    }

    @Test("each way to the disk has its script, or none, and a name by which it is judged")
    func localDisk() throws {
        let scripts = try Self.scripts()
        func last(_ method: LocalDiskMethod, _ stage: BootClient.Stage = .ipxe) -> String? {
            let script = scripts.render(
                .localDisk(method, volume: "7E1F-02AB"), for: Self.client(.efiX64, stage), bootURL: "")
            #expect(stage == .grub || script.name == method.script)
            return script.text?.split(separator: "\n").last.map(String.init)
        }
        #expect(last(.exit) == "exit" && last(.exitFailure) == "exit 1" && last(.notFound) == nil)
        #expect(last(.sanboot) == "sanboot --no-describe --drive 0x80 || exit 1" && last(.grub, .grub) == "reboot")
    }

    @Test("GRUB's scripts carry their arguments quoted, the volume, and nothing of a stranger's")
    func grub() throws {
        let scripts = try Self.scripts()
        let client = Self.client(.efiX64, .grub)
        let agent = scripts.render(.agent([try KernelArgument("slipway.ticket", "a*b?")]), for: client, bootURL: "")
        #expect(agent.name == "grub-agent")
        #expect(agent.text?.contains(" 'slipway.ticket=a*b?' 'BOOTIF=01-52-54-00-12-34-56'; then") ?? false)
        let disk = scripts.render(.localDisk(.grub, volume: "7E1F-02AB'; reboot"), for: client, bootURL: "")
        #expect(disk.name == LocalDiskMethod.grub.script)
        #expect(disk.text?.contains("--set=root '7E1F-02ABeb'; then") ?? false)
        let refusal = scripts.render(.refuse("a\"; reboot; $x 'y"), for: client, bootURL: "")
        #expect(refusal.text?.contains("echo \"Slipway: a   reboot   x  y\"\n") ?? false, "\(refusal.text ?? "")")
    }

    @Test(
        "no words can start an iPXE command",
        arguments: [
            "a\nexit 0", "a && shell", "a || shell", "${net0/mac}", "a # b", "a\\\nb", "a\r\nshell", "é;`x`",
            "\u{2028}shell",
        ])
    func injection(words: String) throws {
        let text = try #require(
            try Self.scripts().render(.refuse(words), for: Self.client(.efiX64), bootURL: "").text)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 6)
        let echo = try #require(lines.first { $0.hasPrefix("echo ") })
        #expect(!echo.contains { "$&|#\\`\r".contains($0) })
        #expect(echo.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
    }

    @Test("a template with an unknown value is refused with its line")
    func unknownValue() {
        let error = #expect(throws: ScriptTemplateError.self) {
            try ScriptTemplate(file: "x.ipxe", text: "#!ipxe\necho {{nmae}}\n", known: ["name"])
        }
        #expect(error?.description == "x.ipxe:2: {{nmae}} is not a value of this template; there is name")
    }
}
