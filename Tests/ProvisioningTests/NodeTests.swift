import TestSupport
import Testing

/// Nodes of a standalone cluster, as an installed system and a person see them.
@Suite struct NodeTests {
    @Test("a static address reaches the installed system's settings, and a wrong one is refused")
    func staticAddress() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            let other = try TrialServer(installation, mac: "52:54:00:00:00:02", serial: "TRIAL-2")
            try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory))
            let agents = [try await server.bootAgent(), try await other.bootAgent()]
            defer { for agent in agents { agent.kill() } }
            for agent in agents { try #require(await agent.says("hardware reported"), "\(agent.output)") }
            let network = [
                "--address", "10.9.0.7/24", "--gateway", "10.9.0.1", "--dns", "10.9.0.1", "--dns", "10.9.0.2",
            ]
            func accept(_ machine: String, _ options: [String]) async throws -> String {
                let (status, output) = try await installation.cli(["machine", "accept", machine] + options)
                #expect(status == 0 || status == 1 || status == 64)
                return output
            }
            let foreign = try await accept(server.mac, network + ["--mac", other.mac])
            #expect(foreign.contains("the machine has no port \(other.mac)"), "\(foreign)")
            let unreachable = try await accept(
                server.mac, ["--address", "10.9.0.7/24", "--gateway", "10.8.0.1", "--mac", server.mac])
            #expect(unreachable.contains("10.8.0.1 is not a host in 10.9.0.7/24"), "\(unreachable)")
            let alone = try await accept(server.mac, ["--gateway", "10.9.0.1"])
            #expect(alone.contains("--gateway and --dns belong to a static address"), "\(alone)")
            #expect(try await installation.field("phase", of: server.mac) == "discovered")

            try await installation.slipway(
                arguments: ["machine", "accept", server.mac, "--name", "trial", "--mac", server.mac] + network)
            let taken = try await accept(other.mac, network + ["--mac", other.mac])
            #expect(taken.contains("trial has the address 10.9.0.7"), "\(taken)")
            #expect(
                try await installation.slipway("machine", "show", "trial").contains("lan0 (\(server.mac)) 10.9.0.7/24"))
            try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
            #expect(await agents[0].ended() == 0, "\(agents[0].output)")
            // Its name and address are what the installed system registers by.
            let late = try await accept("trial", ["--name", "other"])
            #expect(late.contains("its name and address are on their way to its disk"), "\(late)")
            let repeated = try await installation.cli(["machine", "accept", "trial", "--name", "trial"])
            #expect(repeated.status == 0)
            let settings = try server.settings()
            #expect(settings["NETWORK"] == "static" && settings["MAC"] == server.mac)
            #expect(settings["ADDRESS"] == "10.9.0.7/24" && settings["GATEWAY"] == "10.9.0.1")
            #expect(settings["DNS"] == "10.9.0.1,10.9.0.2")
        }
    }

    @Test("kernel arguments of the daemon's configuration reach every agent, also before it has a profile")
    func agentArguments() async throws {
        let configuration = "agent_arguments: [\"console=ttyS1,115200\", slipway.vlan=7]"
        try await Installation.with(configuration: configuration) { installation in
            let script = try await TrialServer(installation).script()
            #expect(script.contains(" console=ttyS1,115200 slipway.vlan=7 "), "\(script)")
        }
    }

    @Test("Ready turns false when heartbeats stop, and true with the next one; a join token works once")
    func readiness() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try await server.becomeNode()
            func shows(_ words: String) async throws -> Bool {
                try await eventually(within: .seconds(20), every: .milliseconds(200)) {
                    try await installation.slipway("node", "list").contains(words)
                }
            }
            #expect(try await shows(" Ready "))
            #expect(try await shows(" NotReady "))
            #expect(try await installation.slipway("event", "list").contains("no heartbeat since"))
            #expect(try await server.heartbeat() == "204")
            #expect(try await shows(" Ready "))
            // The same system may ask again, should the answer have been lost; another one may not.
            #expect(try await server.register())
            #expect(try await server.registration(credential: String(repeating: "d", count: 64)) == "401")
            #expect(try await server.heartbeat(credential: String(repeating: "d", count: 64)) == "401")
        }
    }
}
