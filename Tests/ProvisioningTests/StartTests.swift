import Foundation
import TestSupport
import Testing

/// The real agent as the way to the disk of a machine of files.
@Suite(.timeLimit(.minutes(3))) struct StartTests {
    @Test("the agent of a node starts its system; one that reports another disk is told nothing")
    func starts() async throws {
        try await withTemporaryDirectory { profiles in
            try "match: {manufacturer: Slipway, product: Trial}\nlocal_disk: [agent-kexec]\n"
                .write(toFile: profiles + "/trial.yaml", atomically: true, encoding: .utf8)
            try await Installation.with(profiles: profiles) { installation in
                let server = try TrialServer(installation)
                try await server.becomeNode()
                #expect(try await installation.reaches("ready", "trial"))

                let agent = try await server.bootAgent()
                defer { agent.kill() }
                #expect(await agent.says("starting the system on"), "\(agent.output)")
                #expect(await agent.ended() == 0, "\(agent.output)")
                #expect(!agent.output.contains("no kexec"), "\(agent.output)")

                try server.report(diskSerial: "ANOTHER-DISK")
                let other = try await server.bootAgent()
                defer { other.kill() }
                #expect(await other.says("not the hardware of the machine whose session it is"), "\(other.output)")
                #expect(await other.ended() != nil, "\(other.output)")
                #expect(!other.output.contains("TRIAL-DISK"), "\(other.output)")
                let events = try await installation.slipway("event", "list")
                #expect(events.contains("could not start the installed system"), "\(events)")
                #expect(try await installation.reaches("ready", "trial"))
            }
        }
    }
}
