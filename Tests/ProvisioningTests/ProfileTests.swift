import Foundation
import TestSupport
import Testing

/// Hardware profiles as an operator works with them: the CLI, a daemon, and the real agent.
@Suite struct ProfileTests {
    private func write(_ text: String, _ name: String, in directory: String) throws -> String {
        let path = "\(directory)/\(name).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    @Test(
        "what a profile gives is shown, refuses what it does not allow, and is another one when the daemon has read another text"
    )
    func gives() async throws {
        try await withTemporaryDirectory { directory in
            let text = """
                match: {manufacturer: Slipway}
                console: "ttyS1,115200n8"
                wipe: {method: purge, frozen: clear}
                bmc: {quirks: [slow], power_settle: 5m}
                labels: {class: trial}
                allowed_releases: [talos-*]
                """
            _ = try write(text, "trial", in: directory)
            try await Installation.with(profiles: directory) { installation in
                let server = try TrialServer(installation)
                let agent = try await server.bootAgent()
                defer { agent.kill() }
                try #require(await agent.says("hardware reported"), "\(agent.output)")
                try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory))

                let list = try await installation.slipway("profile", "list")
                let words =
                    "console ttyS1,115200n8; wipe purge, verified sampled, clear where frozen; bmc quirks slow; bmc settle 300s; labels class=trial; "
                    + "releases talos-*"
                #expect(list.contains("trial") && list.contains(words), "\(list)")
                let profile = try await installation.slipway("profile", "show", "trial")
                for line in ["machines   1", "kexec      yes", "read back  sampled", "bmc quirks slow"] {
                    #expect(profile.contains(line), "\(profile)")
                }
                let nobody = try await installation.cli(["profile", "show", "tral"])
                #expect(nobody.status == 1 && nobody.output.contains("no hardware profile is called tral"))
                let machine = try await installation.slipway("machine", "show", server.mac)
                for line in [
                    "labels     class=trial (by the profile)", "wipe       purge, verified", "bmc settle 300s",
                ] {
                    #expect(machine.contains(line), "\(machine)")
                }
                let script = try await server.script()
                #expect(script.contains(" console=ttyS1,115200n8"), "\(script)")

                try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
                let refused = try await installation.cli([
                    "machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1",
                ])
                #expect(refused.status == 1, "\(refused.output)")
                #expect(
                    refused.output.contains(
                        "trial: the hardware profile trial does not allow trial-1: it allows talos-* (field release)"),
                    "\(refused.output)")

                installation.kill()
                _ = try write("match: {manufacturer: Slipway}\nlabels: {class: other}\n", "trial", in: directory)
                try await installation.start()
                let again = try await installation.slipway("machine", "show", "trial")
                #expect(again.contains("labels     class=other (by the profile)"), "\(again)")
                #expect(!again.contains("wipe"), "\(again)")
                try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
            }
        }
    }

    @Test("a trial says who would change and why, changes nothing, and points at faults")
    func attempt() async throws {
        try await Installation.with { installation in
            for (number, product) in [(1, "One"), (2, "Two"), (3, "Two")] {
                let server = try TrialServer(installation, mac: "52:54:00:00:00:0\(number)")
                let file = server.directory + "/hardware.json"
                let text = try String(contentsOfFile: file, encoding: .utf8)
                    .replacingOccurrences(of: #""Trial""#, with: "\"\(product)\"")
                    .replacingOccurrences(of: "TRIAL-1", with: "TRIAL-\(number)")
                try text.write(toFile: file, atomically: true, encoding: .utf8)
                let agent = try await server.bootAgent()
                try #require(await agent.says("hardware reported"), "\(agent.output)")
                agent.kill()
            }
            let folder = installation.directory
            let two = try write("match: {product: Two}\n", "two", in: folder)
            let before = try await installation.slipway("profile", "list", "--format", "json")

            let one = try await installation.cli(["profile", "try", "-f", two])
            #expect(one.status == 0, "\(one.output)")
            #expect(one.output.contains("MACHINE         FROM           TO   WHY"), "\(one.output)")
            let row = "generic-amd64  two  two fits: product Two (priority 0 before generic-amd64's -20)"
            #expect(one.output.components(separatedBy: row).count == 3, "\(one.output)")
            #expect(one.output.contains("2 machines would change; 1 machine would not"), "\(one.output)")

            let tie = try write("match: {memory: \">= 1GiB\"}\n", "tie", in: folder)
            let tied = try await installation.cli(["profile", "try", "-f", two, tie])
            #expect(tied.output.contains("TIE of tie and two"), "\(tied.output)")
            #expect(
                tied.output.contains("3 machines would change, of which 2 would have no profile for a tie"),
                "\(tied.output)")

            let without = try await installation.cli(["profile", "try", "--remove", "generic-amd64"])
            #expect(without.output.contains("generic-amd64 is removed; no profile fits"), "\(without.output)")
            let own = Installation.project + "/hardware-profiles/generic-amd64.yaml"
            let same = try await installation.cli(["profile", "try", "--file", own, "--format", "json"])
            #expect(
                same.output.contains(#""replaced" : 3"#) && same.output.contains(#""changes" : ["#), "\(same.output)")

            let bad = try write("match:\n  prodct: Two\n", "bad", in: folder)
            for (arguments, words) in [
                (["-f", bad], "bad.yaml:2:3: unknown key prodct; did you mean product? (field profiles)"),
                (["--remove", "nobody"], "no hardware profile is called nobody; see `slipway profile list`"),
                (["-f", two, "--remove", "two"], "no hardware profile is called two"),
                (
                    ["-f", own, "--remove", "generic-amd64"],
                    "generic-amd64 is tried and removed at once: say one of it"
                ),
            ] {
                let answer = try await installation.cli(["profile", "try"] + arguments)
                #expect(answer.status == 1 && answer.output.contains(words), "\(answer.output)")
            }
            let nothing = try await installation.cli(["profile", "try"])
            #expect(nothing.status == 64 && nothing.output.contains("say --file or --remove"), "\(nothing.output)")
            let large = try write(String(repeating: "# a long word\n", count: 6000), "large", in: folder)
            let refused = try await installation.cli(["profile", "try", "-f", large])
            #expect(refused.output.contains("large: a profile has at most 65536 bytes"), "\(refused.output)")
            #expect(try await installation.slipway("profile", "list", "--format", "json") == before)
        }
    }

    @Test("profile check points at every fault and ends with status 1")
    func check() async throws {
        try await withTemporaryDirectory { directory in
            let good = try write("match: {product: x}\nconsole: ttyS1\n", "good", in: directory)
            let bad = try write("wipe: {method: shred}\n", "bad", in: directory)
            let check = [Installation.programs + "/slipway", "profile", "check"]
            let fine = try await ChildProcess.run(check[0], [check[1], check[2], good])
            #expect(fine.status == 0 && fine.output == "\(good): product x", "\(fine.output)")
            let faulty = try await ChildProcess.run(check[0], [check[1], check[2], good, bad])
            #expect(faulty.status == 1, "\(faulty.output)")
            #expect(faulty.output.contains("\(bad):1:16: method: shred is not one of quick, clear, purge"))
        }
    }
}
