import Foundation
import Inventory
import TestSupport
import Testing

/// Wipe and reprovision with the real programs: `slipwayd`, `slipway`, and agents on machines of files.
@Suite struct WipeTests {
    /// A machine of two disks that are full of a pattern, accepted, with an agent that waits.
    private struct Dirty {
        static let pattern = Data("SLIPWAY-TEST-PATTERN-0123456789ab".utf8)
        let installation: Installation
        let server: TrialServer
        var disks: [String] { [server.disk, server.directory + "/second.raw"] }

        init(_ installation: Installation, mac: String = "52:54:00:00:00:01", serial: String = "TRIAL-1") throws {
            self.installation = installation
            server = try TrialServer(installation, mac: mac, serial: serial, diskMebibytes: 16)
            try report(second: "SECOND-DISK")
            for disk in disks { try fill(disk) }
        }

        func report(second: String) throws {
            try server.report(diskSerial: "TRIAL-DISK", diskMebibytes: 16)
            let file = URL(fileURLWithPath: server.directory + "/hardware.json")
            var report = try JSONDecoder().decode(HardwareReport.self, from: Data(contentsOf: file))
            report.disks.append(
                Disk(path: "second.raw", serial: second, sizeBytes: 16 << 20, transport: .sata, signatures: ["gpt"]))
            try JSONEncoder().encode(report).write(to: file)
        }

        private func fill(_ disk: String) throws {
            let count = (16 << 20) / Self.pattern.count + 1
            let bytes =
                Data(repeating: 0, count: 0) + (0..<count).reduce(into: Data()) { data, _ in data += Self.pattern }
            try bytes.prefix(16 << 20).write(to: URL(fileURLWithPath: disk))
        }

        func isDirty(_ disk: String) throws -> Bool {
            try Data(contentsOf: URL(fileURLWithPath: disk)).range(of: Self.pattern.prefix(16)) != nil
        }

        func accepted() async throws -> ChildProcess {
            let agent = try await server.bootAgent()
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            #expect(try await installation.reaches("available", "trial"))
            return agent
        }
    }

    @Test("every disk is shown, erased, proved and certified; without the right word nothing is")
    func wiped() async throws {
        try await Installation.with { installation in
            let machine = try Dirty(installation)
            let agent = try await machine.accepted()
            defer { agent.kill() }
            let trial = try await installation.slipway("machine", "wipe", "trial", "--dry-run")
            #expect(trial.contains("TRIAL-DISK") && trial.contains("SECOND-DISK"), "\(trial)")
            for words in [["--confirm", "2"], []] {
                let (status, output) = try await installation.cli(["machine", "wipe", "trial"] + words)
                #expect(status == 1 && output.contains("trial"), "\(output)")
            }
            #expect(try machine.disks.allSatisfy(machine.isDirty) && machine.isDirty(machine.disks[0]))
            let done = try await installation.slipway("machine", "wipe", "trial", "--confirm", "trial", "--wait")
            #expect(done.contains("done"), "\(done)")
            for disk in machine.disks { #expect(try !machine.isDirty(disk), "\(disk)") }
            #expect(try await installation.field("phase", of: "trial") == "available")
            let folder = installation.directory + "/certificates"
            try await installation.slipway("certificate", "export", "-o", folder)
            // Nobody is asked: the key and the files are enough.
            installation.kill()
            let verdict = try await installation.slipway(
                "certificate", "verify", folder, "--key", folder + "/certificate-key.pem")
            #expect(verdict.contains("1"), "\(verdict)")
            try await installation.start()
            let shown = try await installation.slipway("certificate", "show", "1")
            #expect(
                shown.contains("TRIAL-DISK") && shown.contains("SECOND-DISK") && shown.contains("overwrite"), "\(shown)"
            )
        }
    }

    @Test("a disk is kept, and the other is erased")
    func kept() async throws {
        try await Installation.with { installation in
            let machine = try Dirty(installation)
            let agent = try await machine.accepted()
            defer { agent.kill() }
            try await installation.slipway(
                "machine", "wipe", "trial", "--keep-disk", "serial=SECOND-DISK", "--confirm", "trial", "--wait")
            #expect(try !machine.isDirty(machine.disks[0]) && machine.isDirty(machine.disks[1]))
        }
    }

    @Test(
        "a disk that cannot be erased fails the wipe with its serial, and there is no certificate",
        arguments: ["io-error", "read-only"])
    func failing(fault: String) async throws {
        try await Installation.with { installation in
            let machine = try Dirty(installation)
            try Data(#"{"SECOND-DISK": "\#(fault)"}"#.utf8).write(
                to: URL(fileURLWithPath: machine.server.directory + "/faults.json"))
            let agent = try await machine.accepted()
            defer { agent.kill() }
            let (status, output) = try await installation.cli([
                "machine", "wipe", "trial", "--confirm", "trial", "--wait", "--timeout", "2m",
            ])
            #expect(status == 1 && output.contains("SECOND-DISK"), "\(output)")
            let phase = try await installation.field("phase", of: "trial")
            // One that is read-only from the start is told before anything is begun.
            #expect(phase == "failed" || (fault == "read-only" && phase == "available"))
            #expect(try machine.isDirty(machine.disks[1]))
            let list = try await installation.slipway("certificate", "list", "--format", "json")
            #expect(list.trimmingCharacters(in: .whitespacesAndNewlines) == "[]" || list.contains("[\n\n]"), "\(list)")
            let problems = try await installation.slipway("problem", "list")
            if phase == "failed" {
                #expect(problems.contains("wipe-failed") && problems.contains("SECOND-DISK"), "\(problems)")
            }
        }
    }

    @Test("the daemon is killed and the machine loses its power in mid-wipe; in the end the disks are erased")
    func interrupted() async throws {
        try await Installation.with { installation in
            let machine = try Dirty(installation)
            try Data(#"{"SECOND-DISK": "slow"}"#.utf8).write(
                to: URL(fileURLWithPath: machine.server.directory + "/faults.json"))
            var agent = try await machine.accepted()
            defer { agent.kill() }
            try await installation.slipway("machine", "wipe", "trial", "--confirm", "trial")
            try #require(await agent.says("erasing"), "\(agent.output)")
            installation.kill()
            try await installation.start()
            // The power is cut: another agent begins, and a person says again that it is this machine.
            agent.kill()
            #expect(try await installation.field("phase", of: "trial") == "wiping")
            try FileManager.default.removeItem(atPath: machine.server.directory + "/faults.json")
            agent = try await machine.server.bootAgent()
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            let again = try await installation.slipway("machine", "wipe", "trial", "--confirm", "trial", "--wait")
            #expect(again.contains("done"), "\(again)\n\(agent.output)")
            for disk in machine.disks { #expect(try !machine.isDirty(disk)) }
        }
    }

    @Test("a node is drained by its hook, erased and installed anew by one command")
    func reprovisioned() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try await server.becomeNode()
            #expect(try await installation.reaches("ready", "trial"))
            let protected = try await installation.cli(["machine", "protect", "trial"])
            #expect(protected.status == 0)
            let refused = try await installation.cli(["machine", "reprovision", "trial", "--confirm", "trial"])
            #expect(refused.status == 1 && refused.output.contains("unprotect"), "\(refused.output)")
            try await installation.slipway("machine", "unprotect", "trial")
            try await installation.slipway("machine", "reprovision", "trial", "--confirm", "trial")
            #expect(try await eventually { try await server.beat().contains(#""leave":true"#) })
            #expect(try await installation.reaches("draining", "trial"))
            _ = try await server.beat(leaving: "release hook 10-a failed with status 3, and is tried again")
            #expect(try await installation.slipway("event", "list").contains("release hook 10-a failed with status 3"))
            #expect(try await server.left().contains(#""restart":true"#), "it has no BMC")
            #expect(try await installation.reaches("wiping", "trial"))
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            #expect(await agent.ended() == 0, "\(agent.output)")
            #expect(try await server.register())
            #expect(try await installation.reaches("ready", "trial"))
            let history = try await installation.slipway("machine", "history", "trial")
            for phase in ["draining", "wiping", "installing", "joining", "ready"] {
                #expect(history.contains(phase), "\(history)")
            }
        }
    }
}
