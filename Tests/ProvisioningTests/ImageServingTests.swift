import Foundation
import TestSupport
import Testing

/// Images on their way: over a restart of the daemon, by a mirror, and by both.
@Suite(.timeLimit(.minutes(5))) struct ImageServingTests {
    /// From power-on to an order for the trial release.
    private func provision(_ server: TrialServer) async throws -> ChildProcess {
        let installation = server.installation
        try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory))
        let agent = try await server.bootAgent()
        try #require(await agent.says("hardware reported"), "\(agent.output)")
        try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
        try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
        return agent
    }

    /// The disk's image is the release's, but for what the partition table says of the disk's size.
    private func isWritten(_ server: TrialServer) async throws -> Bool {
        let (image, offset) = (server.installation.directory + "/trial.raw", 1 << 20)
        return try await ChildProcess.run(
            "cmp", ["--bytes=\(22 << 20)", "--ignore-initial=\(offset)", image, server.disk]
        ).status == 0
    }

    /// Waits until the agent is in the middle of the image.
    private func isHalfway(_ installation: Installation) async throws -> Bool {
        try await eventually(within: .seconds(60), every: .milliseconds(100)) {
            let shown = try await installation.slipway("operation", "list", "--format", "json")
            let bytes = try #/"bytes"\s*:\s*(\d+)/#.firstMatch(in: shown).flatMap { Int($0.1) }
            return (bytes ?? 0) > 4 << 20
        }
    }

    private static func blocksWritten(_ agent: ChildProcess) -> Int {
        agent.lines.count { $0.contains("writes the image") }
    }

    @Test("a daemon that is killed in the middle of an image goes on with it where it was")
    func daemonRestarts() async throws {
        try await Installation.with(configuration: "image_bandwidth_mib: 3") { installation in
            let server = try TrialServer(installation)
            let agent = try await provision(server)
            defer { agent.kill() }
            #expect(try await isHalfway(installation), "\(agent.output)")
            installation.kill()
            try await installation.start()
            #expect(await agent.ended() == 0, "\(agent.output)\n\(installation.log)")
            #expect(agent.output.contains("going on by \(installation.bootURL)/images/"), "\(agent.output)")
            #expect(Self.blocksWritten(agent) == 1, "\(agent.output)")
            #expect(try await isWritten(server))
            // What was there was not sent again: it was less than the whole in each of the daemon's two lives.
            let sent = try await installation.metric("slipway_transfer_bytes_total")
            #expect(sent > 0 && sent < 22 * 1_048_576, "\(sent)")
        }
    }

    /// A mirror beside the daemon, as a process.
    private struct Mirror {
        let process: ChildProcess
        let files: String

        init(of installation: Installation, port: Int, configuration: String = "") async throws {
            let directory = installation.directory + "/mirror"
            files = directory + "/images"
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            let file = directory + "/slipwayd.yaml"
            try "address: 127.0.0.1\nboot_port: \(port)\nstate_directory: \(directory)\n\(configuration)\n"
                .write(toFile: file, atomically: true, encoding: .utf8)
            process = try ChildProcess(
                Installation.programs + "/slipwayd",
                ["--mirror-of", installation.bootURL, "--config", file, "--log-level", "debug"])
            let starts = await process.says("boot HTTP")
            try #require(starts, "\(process.output)")
        }
    }

    private static func mirrors(_ port: Int) -> String {
        "mirrors: [{subnet: 127.0.0.0/8, url: \"http://127.0.0.1:\(port)\"}]"
    }

    @Test("machines of a mirror's subnet fetch from it, and the daemon sends a file once")
    func mirror() async throws {
        let port = FreePort.tcp()
        try await Installation.with(configuration: Self.mirrors(port)) { installation in
            let mirror = try await Mirror(of: installation, port: port)
            defer { mirror.process.kill() }
            let server = try TrialServer(installation)
            let agent = try await provision(server)
            defer { agent.kill() }
            #expect(await agent.ended() == 0, "\(agent.output)\n\(installation.log)\n\(mirror.process.output)")
            #expect(!agent.output.contains("going on by"), "\(agent.output)")
            #expect(try await isWritten(server))
            let kept = try FileManager.default.contentsOfDirectory(atPath: mirror.files)
            #expect(kept.count == 1 && kept.first?.count == 64, "\(kept)")
            let transfers = installation.log.split(separator: "\n").filter { $0.contains("/images/") }
            let sent = try await installation.metric("slipway_transfer_bytes_total")
            #expect(sent > 18 * 1_048_576 && sent < 25 * 1_048_576, "\(sent) \(transfers)")
            // Nothing but images is there.
            for path in [
                "/boot/ipxe?mac=\(server.mac)", "/agent/vmlinuz", "/images/../slipwayd.yaml", "/api/v1/machines",
            ] {
                let command = ["--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "--path-as-is"]
                let answer = try await ChildProcess.run("curl", command + ["http://127.0.0.1:\(port)\(path)"])
                #expect(answer.output == "404", "\(path)")
            }
        }
    }

    @Test("a mirror that dies in the middle is left for the daemon")
    func mirrorDies() async throws {
        let port = FreePort.tcp()
        try await Installation.with(configuration: Self.mirrors(port)) { installation in
            let mirror = try await Mirror(of: installation, port: port, configuration: "image_bandwidth_mib: 3")
            defer { mirror.process.kill() }
            let server = try TrialServer(installation)
            let agent = try await provision(server)
            defer { agent.kill() }
            #expect(try await isHalfway(installation), "\(agent.output)")
            mirror.process.kill()
            #expect(await agent.ended() == 0, "\(agent.output)\n\(installation.log)")
            #expect(agent.output.contains("going on by \(installation.bootURL)/images/"), "\(agent.output)")
            #expect(Self.blocksWritten(agent) == 1, "\(agent.output)")
            #expect(try await isWritten(server))
        }
    }

    @Test("a mirror whose file is another is found out, and the daemon's is written over it")
    func mirrorLies() async throws {
        let port = FreePort.tcp()
        try await Installation.with(configuration: Self.mirrors(port)) { installation in
            let release = try await TrialImage.make(in: installation.directory)
            try await installation.slipway("os", "add", release, "--name", "trial-0")
            let library = installation.directory + "/state/images"
            let image = try #require(try FileManager.default.contentsOfDirectory(atPath: library).first)
            var content = try Data(contentsOf: URL(filePath: library + "/" + image))
            content[content.count - 5000] ^= 1
            let mirror = try await Mirror(of: installation, port: port)
            defer { mirror.process.kill() }
            try content.write(to: URL(filePath: mirror.files + "/" + image))
            let server = try TrialServer(installation)
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("cluster", "add", "lab", "--kind", "standalone")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-0")
            #expect(await agent.ended() == 0, "\(agent.output)\n\(installation.log)")
            #expect(agent.output.contains("beginning again without the mirror"), "\(agent.output)")
            #expect(try await isWritten(server))
        }
    }

    @Test(
        "a mirror that is told nonsense does not start",
        arguments: [
            ("https://127.0.0.1:8080", "address: 127.0.0.1", "--mirror-of https://127.0.0.1:8080"),
            ("http://slipway:8080", "address: 127.0.0.1", "--mirror-of http://slipway:8080"),
            ("http://127.0.0.1:8080/images", "address: 127.0.0.1", "--mirror-of"),
            ("http://127.0.0.1:8080", "boot_port: 1", "address is missing"),
            ("http://127.0.0.1:8080", "address: 127.0.0.1\nagent_image: /x", "agent_image"),
        ])
    func nonsense(origin: String, configuration: String, words: String) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory + "/slipwayd.yaml"
            try configuration.write(toFile: file, atomically: true, encoding: .utf8)
            let answer = try await ChildProcess.run(
                Installation.programs + "/slipwayd", ["--mirror-of", origin, "--config", file])
            #expect(answer.status == 1)
            #expect(answer.output.contains(words), "\(answer.output)")
        }
    }
}
