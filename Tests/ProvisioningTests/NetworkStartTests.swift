import Crypto
import Foundation
import TestSupport
import Testing

/// Installers on machines that may enter no kernel from the agent: firmware and iPXE start them, which a release has to allow. iPXE is curl.
@Suite struct NetworkStartTests {
    private static let profile = "match: {manufacturer: Slipway}\nkexec: false\n"

    /// `trial-1`, on a machine without kexec that waits for orders.
    private static func with(_ body: (Installation, TrialServer, ChildProcess) async throws -> Void) async throws {
        try await withTemporaryDirectory { directory in
            try Data(profile.utf8).write(to: URL(filePath: directory + "/no-kexec.yaml"))
            try await Installation.with(profiles: directory) { installation in
                let server = try TrialServer(installation)
                try await installation.addReleaseAndCluster(InstallerTests.release(in: installation.directory))
                let agent = try await server.bootAgent()
                defer { agent.kill() }
                try #require(await agent.says("hardware reported"), "\(agent.output)")
                try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
                try await body(installation, server, agent)
            }
        }
    }

    private static func provision(_ installation: Installation) async throws {
        try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
    }

    /// What follows a word of the script, such as the URL of its kernel.
    private static func word(_ script: String, _ line: String) throws -> String {
        let found = try #require(script.split(separator: "\n").first { $0.hasPrefix(line) }, "\(script)")
        return String(found.dropFirst(line.count).prefix { $0 != " " })
    }

    private static func fetch(_ url: String, to file: String, from address: String? = nil) async throws -> String {
        let source = address.map { ["--interface", $0] } ?? []
        return try await ChildProcess.run(
            "curl", source + ["--silent", "--output", file, "--write-out", "%{http_code}", url]
        ).output
    }

    @Test("it is opted into by release; script and initramfs are given once, to one address, and told to nobody")
    func starts() async throws {
        try await Self.with { installation, server, agent in
            try await Self.provision(installation)
            let isRefused = try await eventually {
                try await installation.slipway("machine", "show", "trial").contains("os set trial-1 --plain-http")
            }
            #expect(isRefused)
            #expect(try await !installation.slipway("os", "show", "trial-1").contains("plain HTTP:"))
            try await installation.slipway("os", "set", "trial-1", "--plain-http")
            #expect(try await installation.slipway("os", "show", "trial-1").contains("by plain HTTP: whoever"))
            // Nothing is given before the agent left for it.
            #expect(try await server.script().contains("/agent/"))

            try await Self.provision(installation)
            #expect(await agent.ended() == 0, "\(agent.output)")
            #expect(agent.output.contains("entering the installer by network"), "\(agent.output)")
            let isDue = try await eventually { try await server.script().contains("/start/") }
            #expect(isDue)
        }
    }

    @Test("what iPXE is told starts the installer with its answers, whose word then counts")
    func installs() async throws {
        try await Self.with { installation, server, agent in
            try await installation.slipway("os", "set", "trial-1", "--plain-http")
            try await Self.provision(installation)
            #expect(await agent.ended() == 0, "\(agent.output)")
            try #require(try await installation.reachesStart("trial"))
            let script = try await server.script()
            let (kernel, initrd) = (
                try Self.word(script, "kernel "), try Self.word(script, "initrd --name initrd ")
            )
            #expect(script.contains(" initrd=initrd auto=true priority=critical BOOTIF=01-52-54-00-00-00-01 "))
            let folder = server.directory + "/installer"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            #expect(try await Self.fetch(kernel, to: folder + "/kernel") == "200")
            #expect(
                try Data(contentsOf: URL(filePath: folder + "/kernel"))
                    == Data(contentsOf: URL(filePath: installation.directory + "/linux")))

            // Another address gets nothing, and a question does not use it up.
            #expect(try await Self.fetch(initrd, to: "/dev/null", from: "127.0.0.9") == "404")
            let head = try await ChildProcess.run(
                "curl", ["--silent", "--head", "--output", "/dev/null", "--write-out", "%{http_code}", initrd])
            #expect(head.output == "404")
            #expect(try await Self.fetch(initrd, to: folder + "/initrd") == "200", "\(installation.log)")
            #expect(try await Self.fetch(initrd, to: "/dev/null") == "404")

            let part = try Data(contentsOf: URL(filePath: installation.directory + "/initrd.gz"))
            let whole = try Data(contentsOf: URL(filePath: folder + "/initrd"))
            #expect(whole.prefix(part.count) == part && whole.count % 4 == 0)
            try Data().write(to: URL(filePath: folder + "/command-line"))
            let (files, _) = try await InstallerTests.overlay(of: server)
            #expect(files["preseed.cfg"]?.contains("d-i mirror/http/hostname string 10.77.0.9\n") == true)
            let late = try #require(files["slipway/late"])
            let url = String(try #require(late.firstMatch(of: /https:\/\/[^ ']*\/installations\/[0-9a-f]+/)).output)
            #expect(try await InstallerTests.tell(installation, url, "installed") == "204")
            #expect(try await installation.reaches("joining", "trial"))

            let token = try #require(initrd.split(separator: "/").dropLast().last)
            let events = try await installation.slipway("event", "list", "--machine", "trial", "--format", "json")
            #expect(events.contains("fetched the installer of trial-1, by plain HTTP") && !events.contains(token))
            #expect(!installation.log.contains(token))
            let trace = try await installation.slipway("machine", "boot-trace", "trial", "--format", "json")
            #expect(trace.contains("start") && !trace.contains(token), "\(trace)")
        }
    }

    @Test("a machine that asks again before it fetched boots the agent, and the order is tried again")
    func restarted() async throws {
        try await Self.with { installation, server, agent in
            try await installation.slipway("os", "set", "trial-1", "--plain-http")
            try await Self.provision(installation)
            #expect(await agent.ended() == 0, "\(agent.output)")
            try #require(try await installation.reachesStart("trial"))
            let initrd = try Self.word(try await server.script(), "initrd --name initrd ")
            #expect(initrd.contains("/start/"))
            let second = try await server.bootAgent()
            defer { second.kill() }
            #expect(try await Self.fetch(initrd, to: "/dev/null") == "404")
            try #require(await second.says("hardware reported"), "\(second.output)")
            let isTold = try await eventually {
                try await installation.slipway("event", "list", "--machine", "trial").contains(
                    "restarted before its installer")
            }
            #expect(isTold)
        }
    }

    @Test("a daemon that was killed in between goes on, and gives what was given to nobody else")
    func killed() async throws {
        try await Self.with { installation, server, agent in
            try await installation.slipway("os", "set", "trial-1", "--plain-http")
            try await Self.provision(installation)
            #expect(await agent.ended() == 0, "\(agent.output)")
            try #require(try await installation.reachesStart("trial"))
            installation.kill()
            try await installation.start()
            let initrd = try Self.word(try await server.script(), "initrd --name initrd ")
            #expect(try await Self.fetch(initrd, to: "/dev/null") == "200")
            installation.kill()
            try await installation.start()
            #expect(try await server.script().contains("/agent/"))
            #expect(try await Self.fetch(initrd, to: "/dev/null") == "404")
        }
    }
}

extension Installation {
    /// Whether the machine's agent left for an installer that firmware is to start: the script is asked for only then.
    fileprivate func reachesStart(_ machine: String) async throws -> Bool {
        try await eventually {
            try await slipway("event", "list", "--machine", machine).contains(
                "enters the installer of trial-1 by network")
        }
    }
}
