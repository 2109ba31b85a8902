import Foundation
import TestSupport
import Testing

/// The CLI against a daemon, as a person and a script use it.
@Suite struct CommandLineTests {
    private func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    @Test("lists in every format, selected by expressions and labels; slips of the pen are told and select nothing")
    func lists() async throws {
        try await Installation.with { installation in
            var agents: [ChildProcess] = []
            defer { for agent in agents { agent.kill() } }
            for number in 1...3 {
                let server = try TrialServer(installation, mac: "52:54:00:00:00:0\(number)", serial: "TRIAL-\(number)")
                let agent = try await server.bootAgent()
                agents.append(agent)
                try #require(await agent.says("hardware reported"), "\(agent.output)")
                try await installation.slipway("machine", "accept", server.mac, "--name", "r1u0\(number)")
                try await installation.slipway(
                    "machine", "set", "r1u0\(number)", "--location", "ams/1/r1/U\(number)", "--label",
                    "env=\(number == 3 ? "lab" : "prod")")
            }
            #expect(
                try await lines(installation.slipway("machine", "list", "--format", "name")) == [
                    "r1u01", "r1u02", "r1u03",
                ])
            for (words, names) in [
                (["rack=r1,unit=2-3"], ["r1u02", "r1u03"]), (["r1u[01-03] - TRIAL-2"], ["r1u01", "r1u03"]),
                (["r1u01", "r1u03"], ["r1u01", "r1u03"]), (["52:54:00:00:00:02"], ["r1u02"]),
                (["-l", "env=prod"], ["r1u01", "r1u02"]),
                (["unit=1", "-l", "env"], ["r1u01"]), (["-l", "nobody"], []),
            ] {
                let listed = try await installation.slipway(arguments: ["machine", "list", "--format", "name"] + words)
                #expect(lines(listed) == names, "\(words)")
            }
            let missing = try await installation.cli(["machine", "list", "r1u[01-05]"])
            #expect(missing.status == 1 && missing.output.contains("no machine is called r1u04 or r1u05"), "\(missing)")
            let broken = try await installation.cli(["machine", "list", "rack=r1 -"])
            #expect(
                broken.status == 64 && broken.output.contains("\n           ^ expected a machine's name"), "\(broken)")

            let yaml = try await installation.slipway("machine", "show", "r1u01", "--format", "yaml")
            #expect(yaml.contains("\nname: r1u01\n") && yaml.contains("env: prod"), "\(yaml)")
            let wide = try await installation.slipway("machine", "list", "--format", "wide")
            #expect(wide.contains("TRIAL-1") && wide.contains("env=lab"), "\(wide)")
            #expect(try await installation.slipway("machine", "list", "--color", "always").contains("\u{1b}[1mNAME"))
            #expect(try await installation.slipway("machine", "list").contains("\u{1b}") == false)
            let nobody = try await installation.cli(["machine", "show", "nobody"])
            #expect(nobody.status == 1 && nobody.output.contains("slipway machine list"), "\(nobody)")
            let away = try await installation.cli(["machine", "list", "--server", "https://127.0.0.1:1"])
            #expect(away.status == 2 && away.output.contains("try: slipway context show"), "\(away)")
            let nothing = try await installation.cli(["machine", "list", "--format", "nothing"])
            #expect(nothing.status == 64, "\(nothing)")
            // A shell that completes `slipway machine show r…`.
            let completed = try await installation.slipway(
                "---completion", "machine", "show", "--", "positional@0", "3", "1", "slipway", "machine", "show", "r")
            #expect(lines(completed) == ["r1u01", "r1u02", "r1u03"])
        }
    }

    @Test(
        "a shell completes commands, values and machines; it is silent when nobody answers",
        arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) async throws {
        let slipway = Installation.programs + "/slipway"
        let silent = try await ChildProcess.run(
            slipway,
            ["---completion", "machine", "show", "--", "positional@0", "3", "0", "slipway", "machine", "show", ""],
            environment: ["SLIPWAY_SERVER": "https://127.0.0.1:1", "SLIPWAY_TOKEN": "x", "SAP_SHELL": shell])
        #expect(silent.status == 0 && silent.output.allSatisfy(\.isWhitespace), "\(silent)")
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "zebra-7")
            let script = installation.directory + "/completion." + shell
            let printed = try await ChildProcess.run(slipway, ["completion", shell])
            try printed.output.write(toFile: script, atomically: true, encoding: .utf8)
            let token = try String(contentsOfFile: installation.directory + "/state/admin.token", encoding: .utf8)
            let environment = [
                "PATH": Installation.programs + ":/usr/bin:/bin", "TERM": "xterm", "HOME": installation.directory,
                "SLIPWAY_SERVER": "https://\(installation.address):8443",
                "SLIPWAY_CA": installation.directory + "/state/ca.pem",
                "SLIPWAY_TOKEN": token.trimmingCharacters(in: .newlines),
            ]
            for (line, wanted) in [
                ("slipway machine prov", "provision"), ("slipway machine list --format ya", "yaml"),
                ("slipway machine show zeb", "zebra-7"),
            ] {
                let fault = try await TypedCompletion.fault(
                    shell, script: script, typing: line, wanted: wanted, environment: environment)
                #expect(fault == nil, "\(line): \(fault ?? "")")
            }
        }
    }

    @Test("a watch goes on over a restart of the daemon, and tells what changed in between")
    func watch() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            let table = try installation.background(["machine", "list", "--watch"])
            defer { table.kill() }
            let json = try installation.background(["machine", "list", "--watch", "--format", "json"])
            defer { json.kill() }
            for child in [table, json] { try #require(await child.says("discovered"), "\(child.output)") }
            installation.kill()
            #expect(await table.says("still watching"), "\(table.output)")
            try await installation.start()
            try await installation.slipway("machine", "accept", server.mac, "--name", "seen-again")
            #expect(await table.says("seen-again"), "\(table.output)")
            #expect(await json.says("\"name\":\"seen-again\""), "\(json.output)")
            #expect(
                json.lines.filter { $0.hasPrefix("{") }.allSatisfy {
                    (try? JSONSerialization.jsonObject(with: Data($0.utf8))) != nil
                })
        }
    }

    @Test(
        "--wait follows an install by one watch, with its progress, over a restart of the daemon; `slipway wait` sees its end"
    )
    func wait() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory))
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            let other = try installation.background([
                "wait", "machine", "trial", "--for", "phase=ready", "--timeout", "1m",
            ])
            defer { other.kill() }
            let provision = try installation.background(
                ["machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1", "--wait", "--timeout", "60"])
            defer { provision.kill() }
            #expect(await provision.says("trial: installing"), "\(provision.output)")
            #expect(await agent.ended() == 0, "\(agent.output)")
            installation.kill()
            #expect(await provision.says("still waiting"), "\(provision.output)")
            try await installation.start()
            #expect(try await server.register())
            #expect(try await server.heartbeat() == "204")
            #expect(await provision.ended() == 0, "\(provision.output)")
            #expect(provision.output.contains("trial is node trial"), "\(provision.output)")
            #expect(await other.ended() == 0, "\(other.output)")
            #expect(other.output.contains("trial is ready"), "\(other.output)")

            let ready = try installation.background(
                ["wait", "machine", "phase=ready", "--for", "condition=NodeReady", "--timeout", "30s"])
            defer { ready.kill() }
            let ended = try await eventually(every: .milliseconds(300)) {
                _ = try await server.heartbeat()
                return ready.status != nil
            }
            #expect(ended && ready.status == 0 && ready.output.contains("trial has NodeReady=true"), "\(ready.output)")
            // Who has waited is not held up by the end of the watch: TLS would wait five seconds for the daemon's goodbye.
            let soon = try await ContinuousClock().measure {
                try await installation.slipway("wait", "machine", "trial", "--for", "phase=ready")
            }
            #expect(soon < .seconds(4), "\(soon)")
            let late = try await installation.cli([
                "wait", "machine", "trial", "--for", "phase=wiping", "--timeout", "1s",
            ])
            #expect(late.status == 124 && late.output.contains("slipway machine show trial"), "\(late)")
        }
    }
}

/// `slipway apply` against a daemon.
@Suite struct ApplyTests {
    @Test("what files declare is made, once; what they do not have any more goes when asked, unless it is in use")
    func apply() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            try await installation.slipway("cluster", "add", "by-hand")
            let folder = installation.directory + "/site"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let machine =
                "kind: Machine\nname: trial\nlocation: {site: s, row: 1, rack: r1, unit: U1}\nlabels: {env: prod}\n"
            func write(_ text: String) throws {
                try text.write(toFile: folder + "/all.yaml", atomically: true, encoding: .utf8)
            }
            try write("kind: Cluster\nname: lab\n---\nkind: Cluster\nname: edge\n---\n" + machine)
            let diff = try await installation.slipway("apply", "-f", folder, "--diff")
            #expect(
                diff.contains("+++ \(folder)/all.yaml:7: Machine trial\n+location: s/1/r1/U1\n+label env: prod"),
                "\(diff)")
            #expect(diff.contains("nothing was applied yet"))
            #expect(try await installation.slipway("cluster", "list", "--format", "name") == "by-hand")
            let first = try await installation.slipway("apply", "-f", folder)
            #expect(first.contains("Cluster lab created") && first.contains("Machine trial changed"), "\(first)")
            let again = try await installation.slipway("apply", "-f", folder, "--prune")
            #expect(again.contains("3 unchanged") && again.contains("Machine trial unchanged"), "\(again)")
            let changes = try await installation.slipway("event", "list").components(separatedBy: "cluster lab added")
                .count
            #expect(changes == 2, "it was added once")

            try write(machine + "---\nkind: Cluser\nname: x\n")
            let fault = try await installation.cli(["apply", "-f", folder, "--prune"])
            #expect(fault.status == 1 && fault.output.contains("all.yaml:6:7: kind: Cluser is not one of"), "\(fault)")
            #expect(fault.output.contains("nothing was applied"))
            try write(machine)
            let trial = try await installation.slipway("apply", "-f", folder, "--prune", "--dry-run")
            #expect(trial.contains("Cluster edge would be removed") && !trial.contains("by-hand"), "\(trial)")
            let other = try await installation.slipway("apply", "-f", folder, "--prune", "--set", "another")
            #expect(!other.contains("removed"), "\(other)")
            let pruned = try await installation.slipway("apply", "-f", folder, "--prune")
            #expect(pruned.contains("Cluster edge removed") && pruned.contains("Cluster lab removed"), "\(pruned)")
            #expect(try await installation.slipway("cluster", "list", "--format", "name") == "by-hand")

            try write(
                "kind: OSRelease\nname: ref\nos: slipway-reference\nversion: '1'\narchitecture: amd64\n"
                    + "artifacts: {image: {sha256: \(String(repeating: "a", count: 64)), compression: zstd, bytes: 1, raw_bytes: 2}}\n"
            )
            let unknown = try await installation.cli(["apply", "-f", folder])
            #expect(unknown.status == 1 && unknown.output.contains("the library holds no file"), "\(unknown)")
        }
    }

    @Test("a profile that is applied counts at once and after a restart; one that machines have stays")
    func profiles() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            let file = installation.directory + "/profiles.yaml"
            func write(_ gives: String) throws {
                let text =
                    "kind: HardwareProfile\nname: trial-server # ours\npriority: 1000\n"
                    + "match: {product: /^Tri/, disks: {where: {size: \">= 1GiB\"}, count: \">= 1\"}}\n" + gives
                try text.write(toFile: file, atomically: true, encoding: .utf8)
            }
            func shown() async throws -> String { try await installation.slipway("machine", "show", server.mac) }
            try write("labels: {tier: a}\nkernel_arguments: [trial.first=1]\n")
            let created = try await installation.slipway("apply", "-f", file)
            #expect(created.contains("HardwareProfile trial-server created"), "\(created)")
            let first = try await shown()
            #expect(first.contains("trial-server") && first.contains("tier=a"), "\(first)")
            #expect(try await server.script().contains("trial.first=1"))
            #expect(try await installation.slipway("apply", "-f", file).contains("1 unchanged"))
            try write("labels: {tier: b}\nkernel_arguments: [trial.second=1]\n")
            let changed = try await installation.slipway("apply", "-f", file)
            #expect(changed.contains("HardwareProfile trial-server changed"), "\(changed)")

            installation.kill()
            try await installation.start()
            let script = try await server.script()
            #expect(script.contains("trial.second=1") && !script.contains("trial.first"), "\(script)")
            #expect(try await shown().contains("tier=b"))
            let list = try await installation.slipway("profile", "list")
            #expect(list.contains("set default") && list.contains("its files"), "\(list)")

            try "kind: Cluster\nname: lab\n".write(toFile: file, atomically: true, encoding: .utf8)
            let used = try await installation.cli(["apply", "-f", file, "--prune"])
            #expect(used.status == 1 && used.output.contains("1 machine has it"), "\(used)")
            try write("priority: x\n")
            let wrong = try await installation.cli(["apply", "-f", file])
            #expect(wrong.status == 1 && wrong.output.contains("profiles.yaml:"), "\(wrong)")
            // What comes by another way is read as strictly, and a file is never replaced.
            let token = try String(contentsOfFile: installation.directory + "/state/admin.token", encoding: .utf8)
            for (name, text, words) in [
                ("evil", "a: &x {}", "anchors"), ("evil", "nonsense: 1", "nonsense"),
                ("..%2fx", "{}", "not a profile's name"),
                ("generic-amd64", "{}", "a file of the daemon's own"),
                ("evil", String(repeating: "#", count: 70000), "65536"),
            ] {
                let answer = try await ChildProcess.run(
                    "curl",
                    [
                        "--silent", "--cacert", installation.directory + "/state/ca.pem", "--request", "PUT",
                        "--header",
                        "Authorization: Bearer " + token.trimmingCharacters(in: .newlines), "--header",
                        "Content-Type: application/json", "--data", "{\"text\": \"\(text)\"}",
                        "https://\(installation.address):8443/api/v1/profiles/\(name)",
                    ])
                #expect(answer.output.contains(words), "\(name): \(answer.output)")
            }

            // Another takes its place first.
            try ("kind: HardwareProfile\nname: better\npriority: 2000\nmatch: {product: Trial}\n")
                .write(toFile: file, atomically: true, encoding: .utf8)
            let pruned = try await installation.slipway("apply", "-f", file, "--prune")
            #expect(pruned.contains("better created") && pruned.contains("trial-server removed"), "\(pruned)")
            #expect(try await shown().contains("better"))
        }
    }

    @Test("a cluster and a release that are in use are not removed")
    func inUse() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try "kind: Cluster\nname: lab\n".write(
                toFile: installation.directory + "/lab.yaml", atomically: true, encoding: .utf8)
            try "kind: Cluster\nname: other\n".write(
                toFile: installation.directory + "/other.yaml", atomically: true, encoding: .utf8)
            try await installation.slipway("apply", "-f", installation.directory + "/lab.yaml")
            try await server.becomeNode()
            let refused = try await installation.cli(["apply", "-f", installation.directory + "/other.yaml", "--prune"])
            #expect(
                refused.status == 1 && refused.output.contains("the cluster lab is not removed: trial uses it"),
                "\(refused)")
            #expect(try await installation.slipway("cluster", "list", "--format", "name").contains("lab"))
        }
    }
}
