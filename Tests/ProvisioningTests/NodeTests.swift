import TestSupport
import Testing

/// Nodes of a standalone cluster, as an installed system and a person see them.
@Suite struct NodeTests {
    @Test("Ready turns false when heartbeats stop, and true with the next one; a join token works once")
    func readiness() async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory))
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
            #expect(await agent.ended() == 0, "\(agent.output)")
            #expect(try await server.register())
            #expect(try await server.heartbeat() == "204")
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
