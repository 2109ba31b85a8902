import Foundation
import TestSupport
import Testing

/// Machines of clusters that keep their own registry, by the real programs.
@Suite struct ClusterTests {
    private static func write(_ text: String, _ name: String, _ installation: Installation) throws -> String {
        let file = installation.directory + "/" + name
        try Data(text.utf8).write(to: URL(filePath: file))
        return file
    }

    @Test(
        "a Debian joins a cluster of Kubernetes: what it is told, that it says so, and that nobody is shown its token")
    func kubernetes() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try await installation.slipway(
                "os", "add", try InstallerTests.release(in: installation.directory), "--name", "trial-1")
            let token = try Self.write("abcdef.0123456789abcdef\n", "token", installation)
            // The installation's own CA is a CA as good as any.
            try await installation.slipway(
                "cluster", "add", "prod", "--kind", "kubernetes", "--endpoint", "https://10.20.0.10:6443",
                "--kubernetes-version",
                "1.31.4", "--cluster-ca", installation.directory + "/state/ca.pem", "--token-file", token)
            let agent = try await server.bootAgent()
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            let rendered = try await installation.slipway(
                "machine", "render", "trial", "--os", "trial-1", "--cluster", "prod")
            #expect(rendered.contains("token: REDACTED") && !rendered.contains("abcdef"), "\(rendered)")
            let open = try await installation.slipway(
                "machine", "render", "trial", "--os", "trial-1", "--cluster", "prod", "--secrets")
            #expect(open.contains("token: abcdef.0123456789abcdef"))

            try await installation.slipway("machine", "provision", "trial", "--cluster", "prod", "--os", "trial-1")
            #expect(await agent.ended() == 0, "\(agent.output)")
            let (files, _) = try await InstallerTests.overlay(of: server)
            let join = try #require(files["slipway/target/etc/slipway/join.yaml"])
            #expect(join.contains("token: abcdef.0123456789abcdef") && join.contains("sha256:"), "\(join)")
            let late = try #require(files["slipway/late"])
            let url = String(try #require(late.firstMatch(of: /https:\/\/[^ ']*\/installations\/[0-9a-f]+/)).output)
            #expect(try await InstallerTests.tell(installation, url, "installed") == "204")
            #expect(try await installation.reaches("joining", "trial"))

            // What the first start runs is run here, with a kubeadm that notes how it was called.
            let folder = server.directory + "/system"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let script = try #require(files["slipway/target/etc/slipway/join"]).replacing(
                "cd /etc/slipway", with: "cd '\(folder)'")
            for (name, text) in [
                ("join", script), ("join.yaml", join), ("ca.pem", files["slipway/target/etc/slipway/ca.pem"] ?? ""),
            ] { try Data(text.utf8).write(to: URL(filePath: folder + "/" + name)) }
            try await ChildProcess.writeScript("echo \"$@\" >>'\(folder)/calls'\n", to: folder + "/kubeadm")
            for _ in 0..<2 {
                let run = try await ChildProcess.run(
                    "sh", ["-c", "PATH='\(folder)':$PATH sh '\(folder)/join' 2>&1"])
                #expect(run.status == 0 || !FileManager.default.fileExists(atPath: folder + "/join"), "\(run.output)")
            }
            let calls = try String(contentsOfFile: folder + "/calls", encoding: .utf8)
            #expect(calls == "join --config join.yaml\n")
            #expect(!FileManager.default.fileExists(atPath: folder + "/join.yaml"))
            #expect(try await installation.reaches("ready", "trial"))
            let events = try await installation.slipway("event", "list", "--machine", "trial")
            #expect(events.contains("joined as trial, by its own word"), "\(events)")

            // Its newest installation is what it would get now; with another label it is not.
            let same = try await installation.cli(["machine", "render", "trial", "--diff"])
            #expect(same.status == 0 && same.output.isEmpty, "\(same.output)")
            try await installation.slipway("machine", "set", "trial", "--label", "rack=r12")
            let other = try await installation.cli(["machine", "render", "trial", "--diff"])
            #expect(
                other.status == 1 && other.output.contains("+") && other.output.contains("rack=r12"), "\(other.output)")
            let history = try await installation.slipway("machine", "history", "trial", "--installs")
            #expect(history.contains("trial-1") && history.contains("node after"), "\(history)")
            // Nobody here can empty a node of that cluster.
            let wipe = try await installation.cli(["machine", "wipe", "trial", "--confirm", "trial"])
            #expect(wipe.status == 1 && wipe.output.contains("--no-drain"), "\(wipe.output)")
            let log = installation.log
            #expect(!log.contains("abcdef.0123456789abcdef"))
            let show = try await installation.slipway("cluster", "show", "prod")
            #expect(show.contains("secrets   token") && !show.contains("abcdef"), "\(show)")
        }
    }

    @Test("a Talos machine fetches its configuration by TLS with the CA of its command line, and with its ticket only")
    func talos() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let release = try InstallerTests.release(in: installation.directory)
            let text = try String(contentsOfFile: release, encoding: .utf8)
                .replacing("\"debian\"", with: "\"talos\"").replacing("\"12\"", with: "\"1.13.2\"")
            try Data(text.utf8).write(to: URL(filePath: release))
            try await installation.slipway("os", "add", release, "--name", "trial-1")
            let base =
                "version: v1alpha1\nmachine: {type: worker, token: trust-word, install: {}}\ncluster: {token: join-word}\n"
            let patch = "machine: {sysctls: {net.core.somaxconn: \"65535\"}}\n"
            try await installation.slipway(
                "cluster", "add", "prod", "--kind", "talos", "--worker",
                try Self.write(base, "worker.yaml", installation), "--patch",
                try Self.write(patch, "patch.yaml", installation))
            let agent = try await server.bootAgent()
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            let own = try Self.write("machine: {env: {OWN: its-own-word}}\n", "own.yaml", installation)
            try await installation.slipway("machine", "set", "trial", "--patch", own)
            try await installation.slipway("machine", "provision", "trial", "--cluster", "prod", "--os", "trial-1")
            #expect(await agent.ended() == 0, "\(agent.output)")
            let folder = server.directory + "/installer"
            let line = try String(contentsOfFile: folder + "/command-line", encoding: .utf8)
            #expect(!line.contains("trust-word") && !line.contains("join-word"))
            let url = String(try #require(line.firstMatch(of: /talos\.config=(https:[^ ]+)/)).output.1)
            // The CA that its command line names is all that the fetch believes.
            let early = try #require(line.firstMatch(of: /talos\.config\.early=([^ ]+)/)).output.1
            let roots = try await ChildProcess.run("sh", ["-c", "echo '\(early)' | base64 -d | zstd -dc"]).output
            let ca = roots.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            let first = try #require(ca.firstIndex { $0.hasPrefix("-----BEGIN") })
            let last = try #require(ca.firstIndex { $0.hasPrefix("-----END") })
            let file = try Self.write(ca[first...last].joined(separator: "\n") + "\n", "early.pem", installation)
            func fetch(_ url: String) async throws -> (Int32?, String) {
                try await ChildProcess.run("curl", ["--silent", "--fail", "--cacert", file, url])
            }
            #expect(try await installation.field("phase", of: "trial") == "installing")
            #expect(try await fetch(url.replacing("/files/config", with: "/files/other")).0 == 22)
            #expect(try await fetch(String(url.dropLast(20)) + "/files/config").0 == 22)
            let (status, config) = try await fetch(url)
            #expect(status == 0)
            for word in ["trust-word", "join-word", "somaxconn", "its-own-word", "hostname: trial", "slipway://m-"] {
                #expect(config.contains(word), "\(word) is missing in\n\(config)")
            }
            #expect(try await installation.reaches("joining", "trial"))
            // From here on it starts from its disk.
            #expect(try await server.script().contains("kernel ") == false)
            // It may ask again, after a restart in mid-install.
            #expect(try await fetch(url).0 == 0)
            #expect(!installation.log.contains("trust-word") && !installation.log.contains("its-own-word"))
            let events = try await installation.slipway("event", "list", "--machine", "trial", "--format", "json")
            #expect(events.contains("has fetched its config") && !events.contains("trust-word"))
        }
    }
}
