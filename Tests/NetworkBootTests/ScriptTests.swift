import Foundation
import Inventory
import Machines
import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct ScriptTests {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../../ipxe-scripts"
    ).path

    static func scripts() throws -> IPXEScripts { try IPXEScripts(directory: directory) }

    @Test("the agent's script carries its arguments on the kernel line")
    func agent() throws {
        let arguments = [try KernelArgument("slipway.server", "https://10.77.0.1:8443"), try KernelArgument("quiet")]
        let (name, text) = try Self.scripts().render(.agent(arguments), bootURL: "http://10.77.0.1:8080", isUEFI: true)
        #expect(name == .agent)
        let kernel = text.split(separator: "\n").filter { $0.hasPrefix("kernel ") }
        #expect(
            kernel == [
                "kernel http://10.77.0.1:8080/agent/vmlinuz initrd=initrd console=tty0 console=ttyS0,115200 quiet cryptomgr.notests slipway.server=https://10.77.0.1:8443 quiet "
                    + "BOOTIF=01-${net0/mac:hexhyp} || goto failed"
            ])
        #expect(text.contains("initrd --name initrd http://10.77.0.1:8080/agent/initrd || goto failed\n"))
        #expect(!text.contains("{{"))
    }

    @Test("BIOS goes on to the disk after exit, UEFI after exit 1")
    func localDisk() throws {
        let scripts = try Self.scripts()
        #expect(scripts.render(.localDisk, bootURL: "", isUEFI: false).text.hasSuffix("\nexit\n"))
        #expect(scripts.render(.localDisk, bootURL: "", isUEFI: true).text.hasSuffix("\nexit 1\n"))
    }

    @Test(
        "no words can start an iPXE command",
        arguments: [
            "a\nexit 0", "a && shell", "a || shell", "${net0/mac}", "a # b", "a\\\nb", "a\r\nshell", "é;`x`",
            "\u{2028}shell",
        ])
    func injection(words: String) throws {
        let text = try Self.scripts().render(.refuse(words), bootURL: "", isUEFI: true).text
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
