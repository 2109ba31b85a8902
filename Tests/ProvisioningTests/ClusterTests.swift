import Crypto
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

    /// One event at a Talos machine's sink, by gRPC's own client: its type, and its bytes in hex.
    private static func publish(_ sink: String, _ type: String, _ hex: String) async throws {
        let program = """
            import sys, grpc
            def field(number, value):
                size, length = b"", len(value)
                while length > 127:
                    size, length = size + bytes([length & 127 | 128]), length >> 7
                return bytes([number << 3 | 2]) + size + bytes([length]) + value
            data = field(1, b"type.googleapis.com/machine." + sys.argv[2].encode()) + field(2, bytes.fromhex(sys.argv[3]))
            with grpc.insecure_channel(sys.argv[1]) as channel:
                channel.unary_unary("/events.EventSinkService/Publish")(field(1, data) + field(2, b"ceqpsv3q8ds0"), timeout=30)
            """
        let run = try await ChildProcess.run(
            try PythonPeer.path("python3"), ["-c", program, sink, type, hex], environment: PythonPeer.environment)
        try #require(run.status == 0, "\(run.output)")
    }

    @Test(
        "a Talos machine fetches its configuration by TLS with the CA of its command line, with its ticket only, and is ready once it says so"
    )
    func talos() async throws {
        try await Installation.with(configuration: "talos_events_port: 3247\n") { installation in
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
            let sink = String(try #require(line.firstMatch(of: /talos\.events\.sink=([^ \n]+)/)).output.1)
            #expect(sink == "\(installation.address):3247")
            for word in [
                "trust-word", "join-word", "somaxconn", "its-own-word", "hostname: trial", "slipway://m-",
                "kind: EventSinkConfig", sink,
            ] {
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

            // Its sequence `install` fails with "no space" first; a person sees why at once.
            let failed = "0a07696e7374616c6c" + "1a0a12086e6f207370616365"
            try await Self.publish(sink, "SequenceEvent", failed)
            let complaint = "Talos failed in its sequence install: no space"
            #expect(
                try await eventually(within: .seconds(20)) {
                    try await installation.slipway("problem", "list").contains(complaint)
                })
            #expect(try await installation.slipway("operation", "list").contains(complaint))
            // It runs, and is not ready yet; then it is.
            try await Self.publish(sink, "MachineStatusEvent", "0804" + "12020800")
            #expect(try await installation.field("phase", of: "trial") == "joining")
            try await Self.publish(sink, "MachineStatusEvent", "0804" + "12020801")
            #expect(try await installation.reaches("ready", "trial"))
            let trail = try await installation.slipway("event", "list", "--machine", "trial")
            #expect(
                trail.contains("Talos runs and is ready, by its own word") && trail.contains("joined as trial"),
                "\(trail)")
            #expect(try await !installation.slipway("problem", "list").contains(complaint))
            // What it told may not be fetched any more, and what it tells now changes nothing.
            #expect(try await fetch(url).0 == 22)
            try await Self.publish(sink, "MachineStatusEvent", "0807")
            #expect(try await installation.field("phase", of: "trial") == "ready")
        }
    }

    /// Of each system what its release has, the cluster that it joins, and a file that its installer must find.
    struct System: Sendable, CustomTestStringConvertible {
        var os: String
        var roles: [String]
        var parameters: [String: String] = [:]
        var cluster = "lab"
        var file: String
        var argument: String

        var testDescription: String { os }
    }

    static let systems = [
        System(
            os: "fedora-coreos", roles: ["kernel", "initrd", "rootfs", "image"], file: "config.ign",
            argument: "coreos.live.rootfs_url=http://"),
        System(
            os: "flatcar", roles: ["kernel", "initrd", "image"], file: "oem/config.ign",
            argument: "flatcar.first_boot=1"),
        System(
            os: "ubuntu", roles: ["kernel", "initrd", "iso"], file: "slipway/root/var/lib/cloud/seed/nocloud/user-data",
            argument: "autoinstall"),
        System(
            os: "rocky", roles: ["kernel", "initrd"], parameters: ["repository": "http://10.9.9.9/tree/"],
            file: "slipway.ks", argument: "inst.ks=file:/slipway.ks"),
        System(
            os: "kairos", roles: ["kernel", "initrd", "rootfs"], file: "oem/99_slipway.yaml", argument: "install-mode"),
        System(
            os: "elemental", roles: ["kernel", "initrd", "rootfs"], cluster: "rancher",
            file: "slipway/live/livecd-cloud-config.yaml", argument: "elemental.disable"),
        System(
            os: "harvester", roles: ["kernel", "initrd", "rootfs", "iso"], cluster: "edge",
            file: "slipway/sysroot/etc/pki/trust/anchors/slipway.pem", argument: "harvester.install.config_url=https://"
        ),
        System(
            os: "photon", roles: ["kernel", "initrd"], parameters: ["repository": "https://10.9.9.9/photon"],
            file: "installer/slipway.json", argument: "ks=slipway.json"),
        System(
            os: "k3os", roles: ["kernel", "initrd", "iso"], cluster: "edge", file: "k3os/system/slipway/node.yaml",
            argument: "k3os.mode=install"),
        System(
            os: "generic", roles: ["kernel", "initrd"],
            parameters: ["arguments": "own.disk={{ disk }}", "file:/own": "{{ hostname }} {{ callback }}\n"],
            file: "own",
            argument: "own.disk=disk.raw"),
    ]

    @Test("every other installer is entered with its answers, and its word is heard", arguments: systems)
    func installers(system: System) async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try await installation.slipway("os", "add", try Self.release(of: system, installation), "--name", "trial-1")
            try await installation.slipway("cluster", "add", "lab")
            let token = try Self.write("K10abc::server:word", "token", installation)
            try await installation.slipway(
                "cluster", "add", "edge", "--kind", "k3s", "--endpoint", "https://10.20.0.11:6443", "--token-file",
                token)
            let registration = try Self.write(
                "elemental: {registration: {url: \"https://rancher.example/t\"}}\n", "registration.yaml", installation)
            try await installation.slipway(
                "cluster", "add", "rancher", "--kind", "rancher", "--registration", registration)
            let agent = try await server.bootAgent()
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            try await installation.slipway(
                arguments: ["machine", "provision", "trial", "--cluster", system.cluster, "--os", "trial-1", "--erase"]
                    + (system.os == "generic" ? ["--disk", "TRIAL-DISK"] : []))
            #expect(await agent.ended() == 0, "\(agent.output)\n\(installation.log)")
            let line = try String(contentsOfFile: server.directory + "/installer/command-line", encoding: .utf8)
            #expect(line.contains(system.argument), "\(line)")
            // What cpio takes for garbage, which the tiny files are, it passes over.
            let root = server.directory + "/unpacked"
            let unpack = try await ChildProcess.run(
                "sh",
                [
                    "-c",
                    "mkdir '\(root)' && cd '\(root)' && python3 - ../installer/initrd <<'END'\n\(Self.unpacker)\nEND",
                ])
            #expect(unpack.status == 0, "\(unpack.output)")
            let told = try String(contentsOfFile: root + "/" + system.file, encoding: .utf8)
            #expect(!told.isEmpty)
            let everything = try await ChildProcess.run("sh", ["-c", "cat '\(root)'/all"]).output
            if system.roles.contains("rootfs"), system.os != "fedora-coreos" {
                #expect(everything.contains("rootfs!!!!"), "the squashfs is not in the initramfs")
            }
            if let config = line.firstMatch(of: /config_url=(https:[^ ]+)/)?.output.1 {
                let fetched = try await ChildProcess.run(
                    "curl", ["--silent", "--fail", "--cacert", root + "/" + system.file, String(config)])
                #expect(fetched.status == 0 && fetched.output.contains("device: disk.raw"), "\(fetched.output)")
            }
            // k3OS says nothing until its first start.
            if system.os == "k3os" {
                #expect(try await installation.reaches("joining", "trial"))
                return
            }
            let plain = Self.decoded(everything + "\n" + line)
            let url = try #require(plain.firstMatch(of: /https:\/\/[^ '"\n]*\/installations\/[0-9a-f]{64}/)).output
            #expect(try await installation.field("phase", of: "trial") == "installing")
            #expect(try await InstallerTests.tell(installation, String(url), "started") == "204")
            #expect(try await InstallerTests.tell(installation, String(url), "installed") == "204")
            #expect(try await installation.reaches("joining", "trial"))
            #expect(try await server.script().contains("kernel ") == false)
        }
    }

    private static func release(of system: System, _ installation: Installation) throws -> String {
        var artifacts: [String: [String: Any]] = [:]
        for role in system.roles {
            let content = Data((role + String(repeating: "!", count: 4097)).utf8)
            try content.write(to: URL(filePath: installation.directory + "/" + role))
            let digest = SHA256.hash(data: content).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            artifacts[role] = ["file": role, "sha256": digest, "bytes": content.count]
        }
        let release: [String: Any] = [
            "os": system.os, "version": "1", "architecture": "amd64", "route": "installer", "artifacts": artifacts,
            "parameters": system.parameters, "minimumDiskBytes": 8192,
        ]
        let file = installation.directory + "/release.json"
        try JSONSerialization.data(withJSONObject: release).write(to: URL(filePath: file))
        return file
    }

    /// Texts in base64 are part of what is told, once and twice.
    private static func decoded(_ text: String) -> String {
        func inner(_ text: String) -> String {
            text.matches(of: /[A-Za-z0-9+\/=]{40,}/).map { found in
                Data(base64Encoded: String(found.output)).map { String(decoding: $0, as: UTF8.self) } ?? ""
            }.joined(separator: "\n")
        }
        let once = inner(text)
        return [text, once, inner(once)].joined(separator: "\n")
    }

    /// Every archive in a file, and `all`: what its files hold, one after the other.
    private static let unpacker = """
        import os, sys
        data = open(sys.argv[1], "rb").read()
        at = data.find(b"070701")
        everything = open("all", "wb")
        while at >= 0:
            fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
            name = data[at + 110:at + 109 + fields[11]].decode()
            start = at + 110 + fields[11]
            start += -start % 4
            content = data[start:start + fields[6]]
            if fields[1] & 0o170000 == 0o100000:
                os.makedirs(os.path.dirname(name) or ".", exist_ok=True)
                open(name, "wb").write(content)
                everything.write(content + b"\\n")
            at = data.find(b"070701", start + fields[6])
        """
}
