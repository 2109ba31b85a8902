import Foundation
import TestSupport
import Testing

/// `kill -9 slipwayd` at any step of an install: the machine still ends up registered.
@Suite struct KillTests {
    /// Where the daemon is killed: when the agent says this, or at a moment of the harness's own.
    enum Moment: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case session = "session s-"
        case reported = "hardware reported"
        case accepted, provisioned
        case ordered = ": installing"
        case writing = "writes the image"
        case flushing = "flushes the disk"
        case readingBack = "reads the disk back"
        case finishing = "writes the partition table"
        case configuring = "writes the machine's configuration"
        case verified = "installed and verified"
        case entered = "entering the installed system"
        case registered

        var testDescription: String { "\(self)" }

        var isSaidByAgent: Bool { ![.accepted, .provisioned, .registered].contains(self) }
        var isBeforeOrder: Bool { [.session, .reported, .accepted].contains(self) }
    }

    @Test("killed at any moment, the machine becomes a node", arguments: Moment.allCases)
    func killed(at moment: Moment) async throws {
        try await Installation.with { installation in
            let server = try TrialServer(installation)
            try await installation.addReleaseAndCluster(TrialImage.make(in: installation.directory))
            let agent = try await server.bootAgent()
            defer { agent.kill() }
            func strike(_ now: Moment) async throws {
                guard now == moment else { return }
                installation.kill()
                try await installation.start()
            }
            if moment.isBeforeOrder, moment.isSaidByAgent {
                try #require(await agent.says(moment.rawValue), "\(agent.output)")
                try await strike(moment)
            }
            try #require(await agent.says("hardware reported"), "\(agent.output)")
            try await installation.slipway("machine", "accept", server.mac, "--name", "trial")
            try await strike(.accepted)
            try await installation.slipway("machine", "provision", "trial", "--cluster", "lab", "--os", "trial-1")
            try await strike(.provisioned)
            if moment.isSaidByAgent, !moment.isBeforeOrder {
                try #require(await agent.says(moment.rawValue), "\(agent.output)\n\(installation.log)")
                try await strike(moment)
            }
            #expect(await agent.ended() == 0, "\(agent.output)\n\(installation.log)")
            #expect(agent.output.contains("entering the installed system by kexec"))
            #expect(try await server.register())
            try await strike(.registered)
            #expect(try await installation.reaches("ready", "trial"), "\(installation.log)")
            let answer = try await server.heartbeat()
            #expect(answer == "204", "\(installation.log)")
            #expect(try await installation.slipway("node", "list").contains("Ready"))
            // The firmware tries the network first; the daemon sends it on to the disk.
            #expect(try await server.script().contains("exit 1"))
        }
    }
}
