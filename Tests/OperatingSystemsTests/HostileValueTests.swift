import ConfigDocuments
import Foundation
import Inventory
import Machines
import TestSupport
import Testing

@testable import OperatingSystems

/// What people and hardware say stays what it is, in every format: text that ends where it began.
@Suite struct HostileValueTests {
    static let texts = [
        "'", "\"", "\\", "$(reboot)", "${HOME}", "`reboot`", "a\nb", "a\r\nb", "%end\n%post\nreboot\n%end",
        "END\nreboot\nEND", "</script>",
        "{{ x }}", "{% x %}", "#", "; reboot", "&& reboot", "--- reboot", "d-i preseed/late_command string reboot",
        "a: b\nruncmd: [reboot]",
        "\u{0}", "\u{1b}]0;x\u{7}", "é", "💥", String(repeating: "x", count: 64 << 10),
    ]

    @Test(
        "a shell reads one word, whatever is in it",
        arguments: texts.filter { !$0.contains("\u{0}") && $0.utf8.count < 4096 })
    func shellWords(text: String) async throws {
        let (status, output) = try await ChildProcess.run(
            "sh", ["-c", "printf '%s' \(ShellText.quoted(text)) | od -An -tx1 -v"])
        #expect(status == 0)
        let hex = output.filter { $0.isHexDigit }
        #expect(hex == text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }

    @Test("Ignition: every file is decoded to what it was", arguments: texts)
    func ignition(text: String) throws {
        let input = TrialInput.input(join: Self.join(token: text), setup: text, sshKeys: [text])
        let json = try Ignition(input, network: .systemd).document.json
        let read = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
        let files = try #require((read["storage"] as? [String: Any])?["files"] as? [[String: Any]])
        func content(_ path: String) throws -> String {
            let file = try #require(files.first { $0["path"] as? String == path })
            let source = try #require((file["contents"] as? [String: Any])?["source"] as? String)
            let bytes = try #require(Data(base64Encoded: String(source.dropFirst("data:;base64,".count))))
            return String(decoding: bytes, as: UTF8.self)
        }
        #expect(try content("/etc/slipway/setup").hasPrefix(text))
        let join = try #require(try ConfigValue.documents(yaml: try content("/etc/slipway/join.yaml")).first)
        #expect(join["discovery"]?["bootstrapToken"]?["token"]?.string == text)
        let users = (read["passwd"] as? [String: Any])?["users"] as? [[String: Any]]
        #expect(users?.first?["sshAuthorizedKeys"] as? [String] == [text])
    }

    @Test("cloud-init and autoinstall: YAML's readers find the same text at the same place", arguments: texts)
    func cloudConfig(text: String) throws {
        let input = TrialInput.input(
            join: Self.join(token: text), disk: TrialInput.disk(serial: text, names: [text]),
            parameters: ["packages": text],
            setup: text, sshKeys: [text])
        let boot = try Ubuntu().installer(input)
        let userData = try #require(boot.overlay.first { $0.path.hasSuffix("/user-data") })
        let document = try #require(try ConfigValue.documents(yaml: userData.content).first)
        #expect(document.entries?.keys == ["autoinstall"])
        let autoinstall = document["autoinstall"]
        #expect(autoinstall?["ssh"]?["authorized-keys"]?.items?.map(\.string) == [text])
        #expect(autoinstall?["packages"]?.items?.count == 2 + text.split(separator: " ").count)
        let match = try #require(autoinstall?["storage"]?["layout"]?["match"]?["serial"]?.string)
        #expect(["*", "?", "["].reduce(match) { $0.replacing("[\($1)]", with: $1) } == "*\(text)*")
        let files = autoinstall?["user-data"]?["write_files"]?.items
        let setup = try #require(files?.first { $0["path"]?.string == "/etc/slipway/setup" }?["content"]?.string)
        #expect(String(decoding: try #require(Data(base64Encoded: setup)), as: UTF8.self).hasPrefix(text))
    }

    @Test("kickstart: no line is added, and no section ends early", arguments: texts)
    func kickstart(text: String) async throws {
        let input = TrialInput.input(
            join: Self.join(token: text), parameters: InstallerTests.tree, setup: text, sshKeys: [text])
        let plain = try RedHatFamily(name: "rocky").installer(TrialInput.input(parameters: InstallerTests.tree))
        let boot = try RedHatFamily(name: "rocky").installer(input)
        func frame(_ boot: InstallerBoot) -> [String] {
            boot.overlay[0].content.split(separator: "\n").map(String.init).filter {
                $0.hasPrefix("%") || !$0.contains("=") || $0.contains(" ")
            }
            .filter { line in
                !line.utf8.allSatisfy {
                    Character(UnicodeScalar($0)).isLetter || Character(UnicodeScalar($0)).isNumber
                        || "+/".utf8.contains($0)
                }
            }
        }
        #expect(frame(boot) == frame(plain))
    }

    @Test("what stands on a line of its own is refused when it does not fit there")
    func refused() throws {
        for text in Self.texts where text.unicodeScalars.contains(where: { $0.value < 0x20 }) || text.hasSuffix("\\") {
            #expect(throws: ConfigurationError.self) {
                try Debian().installer(TrialInput.input(parameters: ["mirror": text]))
            }
        }
        for text in ["a b", "a\nb", "\"", "'", "\\", "#", "é"] {
            #expect(throws: ConfigurationError.self) {
                try RedHatFamily(name: "rhel").installer(TrialInput.input(parameters: ["repository": text]))
            }
            #expect(throws: ConfigurationError.self) {
                try RedHatFamily(name: "rhel").installer(
                    TrialInput.input(disk: TrialInput.disk(names: [text]), parameters: InstallerTests.tree))
            }
        }
        #expect(throws: ConfigurationError.self) { try RedHatFamily(name: "rhel").installer(TrialInput.input()) }
        #expect(throws: ConfigurationError.self) {
            try Debian().installer(TrialInput.input(join: TrialInput.kubernetes(), role: .controlPlane))
        }
        #expect(throws: ConfigurationError.self) {
            try Debian().installer(TrialInput.input(join: TrialInput.kubernetes(version: "latest")))
        }
    }

    @Test("the same input gives the same bytes")
    func pure() throws {
        for _ in 0..<20 {
            #expect(try Flatcar().installer(TrialInput.input()) == Flatcar().installer(TrialInput.input()))
            #expect(try Ubuntu().installer(TrialInput.input()) == Ubuntu().installer(TrialInput.input()))
        }
    }

    private static func join(token: String) -> JoinMaterial {
        .kubernetes(
            .init(
                endpoint: "https://10.20.0.10:6443", certificateAuthority: TrialInput.authority,
                certificateAuthorityHash: "sha256:00", token: token, version: "1.31.4"))
    }
}
