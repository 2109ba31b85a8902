import Crypto
import Foundation
import Inventory
import Machines
import SQLiteStore
import Store
import TestSupport
import Testing

/// Wipe certificates by the real programs. The wipes are the test's: it writes the daemon's store while that is down, with the daemon's own key.
@Suite struct CertificateTests {
    private static let nasty = "<img src=x onerror=alert(1)>\"'&<\u{301}\u{202e}\u{1b}[2J"

    private func issue(_ count: Int, in state: String) async throws {
        let text = try String(contentsOfFile: state + "/certificate.key", encoding: .utf8)
        let bytes = try #require(Data(base64Encoded: text.trimmingCharacters(in: .newlines)))
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        let store = try SQLiteRecordStore(path: state + "/slipway.sqlite")
        var previous: String?
        for number in 1...count {
            var machine = Machine(
                id: "m-\(number % 2)", name: number == 1 ? Self.nasty : "r1u0\(number)",
                observed: .init(phase: .available, phaseSince: .now), createdAt: .now)
            machine.observed.hardware = HardwareReport(
                system: .init(
                    manufacturer: "Slipway", product: "Trial <2000>", serial: "SN-\(number)",
                    uuid: SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3132")),
                firmware: .init(kind: .uefi), processor: .init(architecture: "amd64", sockets: 1, cores: 1, threads: 1),
                memory: .init(installedBytes: 1 << 30), disks: [], nics: [], hasBMC: false, bootID: "b")
            let disks = [EraseMethod.nvmeSanitizeCrypto, .overwrite].enumerated().map { index, method in
                DiskEvidence(
                    Disk(
                        path: "/dev/nvme\(index)n1", serial: number == 1 ? Self.nasty : "S4EVNX0R\(number)0\(index)",
                        wwn: "eui.0025385\(number)b1500\(index)", model: "SAMSUNG MZQL23T8HCLS-00A07",
                        sizeBytes: 3_840_755_982_336, transport: .nvme, firmware: "GDC5602Q"), method: method,
                    startedAt: .now, endedAt: .now.addingTimeInterval(83),
                    readBack: .init(kind: .sampled, bytes: 1 << 30, finding: "none of 2048 marks left"),
                    outcome: .erased,
                    remarks: index == 1 ? ["nvme-sanitize-crypto: the drive refused it: Invalid Field"] : [])
            }
            let account = WipeAccount(
                machine: machine, operation: "o-\(number)", requestedBy: "alice", approvedBy: "bob",
                policy: WipePolicy(method: .clear), disks: disks, leftAlone: [], agentVersion: "0.5.0", startedAt: .now,
                endedAt: .now.addingTimeInterval(90))
            var statement = WipeStatement(
                account, by: .init(id: "sha256:ca", name: "lab", key: WipeCertificate.name(of: key.publicKey)),
                sequence: number, previous: previous, daemonVersion: "0.5.0", at: .now)
            statement.leftAlone = [
                .init(
                    path: "/dev/sdb", serial: "BMC-1", wwn: nil, model: "Virtual Media", sizeBytes: 1 << 30,
                    transport: "usb", reason: "it is removable or a BMC's virtual medium (usb)")
            ]
            let certificate = try WipeCertificate(statement, with: key)
            previous = certificate.digest
            try await store.transaction { try $0.put(certificate) }
        }
        try store.close()
    }

    @Test("list, show, page, export; verify offline, and what it says of files that were altered")
    func programs() async throws {
        try await Installation.with(configuration: "name: lab <1>") { installation in
            _ = await installation.stop()
            try await issue(3, in: installation.directory + "/state")
            try await installation.start()

            let list = try await installation.slipway("certificate", "list")
            #expect(list.split(separator: "\n").count == 4 && list.contains("wipe-00000003"), "\(list)")
            let ofOne = try await installation.slipway("certificate", "list", "--machine", "m-0", "--format", "json")
            #expect(ofOne.contains("wipe-00000002") && !ofOne.contains("wipe-00000003"), "\(ofOne)")
            let shown = try await installation.slipway("certificate", "show", "2")
            for words in ["r1u02", "S4EVNX0R200", "purge", "overwrite", "left alone", "BMC-1", "by bob"] {
                #expect(shown.contains(words), "\(words)\n\(shown)")
            }
            let missing = try await installation.cli(["certificate", "show", "9"])
            #expect(missing.status == 1 && missing.output.contains("there is no wipe certificate 9"))

            let archive = installation.directory + "/archive"
            let page = installation.directory + "/page.html"
            try await installation.slipway("certificate", "show", "wipe-00000001", "--html", page)
            let html = try String(contentsOfFile: page, encoding: .utf8)
            #expect(html.contains("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;&lt;\u{301}\u{fffd}\u{fffd}[2J"))
            #expect(!html.contains("<img") && !html.contains("\u{202e}") && html.contains("Trial &lt;2000&gt;"))
            #expect(!html.contains("http:") && !html.contains("https:") && !html.contains("src=\""))

            try await installation.slipway("certificate", "export", "-o", archive)
            let again = try await installation.slipway("certificate", "export", "-o", archive)
            #expect(again.contains("3 certificates, 0 of them new"), "\(again)")
            let pem = try await installation.slipway("certificate", "key")
            let key = archive + "/certificate-key.pem"
            let kept = try String(contentsOfFile: key, encoding: .utf8)
            #expect(kept.split(separator: "\n") == pem.split(separator: "\n"))
            let online = try await installation.slipway("certificate", "verify", archive + "/wipe-00000002.json")
            #expect(online.contains("its signature is right"), "\(online)")
            #expect(await installation.stop() == 0)

            // From here on there is no daemon.
            func verify(_ files: String...) async throws -> (status: Int32?, output: String) {
                try await installation.cli(["certificate", "verify", "--key", key] + files)
            }
            let whole = try await verify(archive)
            #expect(whole.status == 0 && whole.output.contains("3 certificates, 1 to 3"), "\(whole.output)")
            let gap = try await verify(archive + "/wipe-00000001.json", archive + "/wipe-00000003.json")
            #expect(gap.status == 1 && gap.output.contains("certificate 2 is missing"), "\(gap.output)")
            let file = archive + "/wipe-00000002.json"
            let original = try String(contentsOfFile: file, encoding: .utf8)
            try original.replacingOccurrences(of: "S4EVNX0R200", with: "S4EVNX0R999")
                .write(toFile: file, atomically: true, encoding: .utf8)
            let altered = try await verify(archive)
            #expect(altered.status == 1 && altered.output.contains("readable part"), "\(altered.output)")
        }
    }
}
