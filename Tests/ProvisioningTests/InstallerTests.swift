import Crypto
import Foundation
import TestSupport
import Testing

/// A system's own installer, entered by the real agent on a machine of files: what it gets, and what it tells.
@Suite struct InstallerTests {
    /// A Debian whose kernel and initrd are tiny, and of the right names.
    static func release(in directory: String) throws -> String {
        var artifacts: [String: [String: Any]] = [:]
        for (role, file) in [("kernel", "linux"), ("initrd", "initrd.gz")] {
            let content = Data((role + String(repeating: "!", count: 4097)).utf8)
            try content.write(to: URL(filePath: directory + "/" + file))
            let digest = SHA256.hash(data: content).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            artifacts[role] = ["file": file, "sha256": digest, "bytes": content.count]
        }
        let release: [String: Any] = [
            "os": "debian", "version": "12", "architecture": "amd64", "artifacts": artifacts,
            "parameters": ["mirror": "10.77.0.9"],
        ]
        let file = directory + "/release.json"
        try JSONSerialization.data(withJSONObject: release).write(to: URL(filePath: file))
        return file
    }

    /// The machine `trial`, accepted, with its agent at work on the installation.
    static func provision(_ installation: Installation, _ server: TrialServer) async throws -> ChildProcess {
        try await installation.addReleaseAndCluster(release(in: installation.directory))
        let agent = try await server.bootAgent()
        try #require(await agent.says("hardware reported"), "\(agent.output)")
        try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
        try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
        return agent
    }

    /// What the installer's initramfs holds beyond Debian's own part.
    static func overlay(of server: TrialServer) async throws -> (files: [String: String], commandLine: String) {
        let folder = server.directory + "/installer"
        // The first part is no archive: what cpio takes for garbage it passes over.
        let script = """
            set -eu
            rm -rf '\(folder)/root'
            mkdir '\(folder)/root'
            cd '\(folder)/root'
            tail -c +4105 ../initrd | cpio --quiet --extract --make-directories
            find . -type f
            """
        let (status, output) = try await ChildProcess.run("sh", ["-c", script])
        try #require(status == 0, "\(output)")
        var files: [String: String] = [:]
        for line in output.split(separator: "\n") {
            files[String(line.dropFirst(2))] = try String(contentsOfFile: folder + "/root/" + line, encoding: .utf8)
        }
        return (files, try String(contentsOfFile: folder + "/command-line", encoding: .utf8))
    }

    static func tell(_ installation: Installation, _ url: String, _ news: String, _ text: String = "") async throws
        -> String
    {
        let arguments = [
            "--silent", "--cacert", installation.directory + "/state/ca.pem", "--request", "POST", "--data-binary",
            text,
            "--output", "/dev/null", "--write-out", "%{http_code}", url + "/" + news,
        ]
        return try await ChildProcess.run("curl", arguments).output
    }

    @Test("the installer gets its answers in its initramfs, says that it is done, and its system becomes a node")
    func installs() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let agent = try await Self.provision(installation, server)
            #expect(await agent.ended() == 0, "\(agent.output)")
            let (files, commandLine) = try await Self.overlay(of: server)
            #expect(commandLine == "auto=true priority=critical BOOTIF=01-52-54-00-00-00-01")
            let preseed = try #require(files["preseed.cfg"])
            #expect(preseed.contains("d-i mirror/http/hostname string 10.77.0.9\n"))
            #expect(files["slipway/disk"]?.contains("debconf-set partman-auto/disk") == true)
            #expect(files["slipway/target/etc/slipway/node.conf"]?.contains("HOSTNAME='trial'\n") == true)
            let late = try #require(files["slipway/late"])
            let url = try #require(late.firstMatch(of: /https:\/\/[^ ']*\/installations\/[0-9a-f]+/)).output

            #expect(try await installation.field("phase", of: "trial") == "installing")
            let tooMuch = String(repeating: "x", count: 65_537)
            #expect(try await Self.tell(installation, String(url), "failed", tooMuch) == "413")
            #expect(try await Self.tell(installation, String(url), "started") == "204")
            #expect(try await Self.tell(installation, String(url), "first-boot") == "204")
            #expect(try await installation.field("phase", of: "trial") == "installing")
            #expect(try await Self.tell(installation, String(url), "installed") == "204")
            #expect(try await Self.tell(installation, String(url), "installed") == "204")
            #expect(try await installation.reaches("joining", "trial"))
            // It starts from its disk now, whenever it asks.
            #expect(try await server.script().contains("kernel ") == false)

            // What the first start runs is run here: the node's program with the settings that were left on the disk.
            let folder = server.directory + "/system"
            let program = try #require(files["slipway/target/etc/slipway/node"])
                .replacing(
                    "conf=/etc/slipway state=/var/lib/slipway run=/run/slipway", with: "conf=. state=state run=run")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            for (name, text) in [
                ("node", program), ("node.conf", files["slipway/target/etc/slipway/node.conf"] ?? ""),
                ("ca.pem", files["slipway/target/etc/slipway/ca.pem"] ?? ""),
            ] { try Data(text.utf8).write(to: URL(filePath: folder + "/" + name)) }
            let node = try ChildProcess("sh", ["-c", "cd '\(folder)' && exec sh ./node"])
            defer { node.kill() }
            #expect(await node.says("registered as trial with cluster lab"), "\(node.output)")
            #expect(try await installation.reaches("ready", "trial"))
            let settings = try String(contentsOfFile: folder + "/node.conf", encoding: .utf8)
            #expect(settings.contains("JOIN_TOKEN='####") && settings.contains("SERVER='https://"))
            // Its ticket is worth nothing any more.
            #expect(try await Self.tell(installation, String(url), "failed", "too late") == "404")
            #expect(try await installation.field("phase", of: "trial") == "ready")
            #expect(try await Self.tell(installation, String(url.dropLast(8)), "failed") == "404")
            let events = try await installation.slipway("event", "list", "--machine", "trial")
            #expect(events.contains("trial-1 is installed, by its own installer's word"), "\(events)")
            #expect(!installation.log.contains(url.suffix(32)))
        }
    }

    @Test(
        "an installer that fails says why, and is tried again with another ticket; one that restarts the machine counts as failed"
    )
    func fails() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let first = try await Self.provision(installation, server)
            #expect(await first.ended() == 0, "\(first.output)")
            func url() async throws -> String {
                let late = try #require(try await Self.overlay(of: server).files["slipway/late"])
                return String(try #require(late.firstMatch(of: /https:\/\/[^ ']*\/installations\/[0-9a-f]+/)).output)
            }
            let former = try await url()
            #expect(try await Self.tell(installation, former, "failed", "no mirror\u{1b}[31m answers") == "204")
            let events = try await installation.slipway("event", "list", "--machine", "trial", "--format", "json")
            #expect(
                events.contains("the installer of trial-1 failed") && events.contains("no mirror[31m answers"),
                "\(events)")

            // The machine is started again; its agent waits for a person's word, since nobody here commanded the power.
            let second = try await server.bootAgent()
            try #require(await second.says("hardware reported"), "\(second.output)")
            try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
            #expect(await second.ended() == 0, "\(second.output)")
            let next = try await url()
            #expect(next != former)
            #expect(try await Self.tell(installation, former, "installed") == "404")

            let third = try await server.bootAgent()
            try #require(await third.says("hardware reported"), "\(third.output)")
            #expect(
                try await eventually(within: .seconds(20), every: .milliseconds(200)) {
                    try await installation.slipway("event", "list", "--machine", "trial").contains(
                        "restarted before its installer")
                })
            third.kill()
        }
    }
}
