import Foundation
import TestSupport
import Testing

/// Problems, history and phase report by the real programs.
@Suite struct ProblemTests {
    private func problems(_ installation: Installation, _ options: String...) async throws -> [[String: Any]] {
        let text = try await installation.slipway(arguments: ["problem", "list", "--format", "json"] + options)
        return try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    }

    @Test("a node falls silent and its image is lost: told with the same time by the next daemon; its history is kept")
    func node() async throws {
        try await Installation.with { installation in
            #expect(try await problems(installation).isEmpty)
            let server = try TrialServer(installation)
            try await server.becomeNode()
            let isReady = try await installation.reaches("ready", "trial")
            try #require(isReady)

            // No heartbeat comes any more.
            let isTold = try await eventually(within: .seconds(20), every: .milliseconds(200)) {
                try await problems(installation).contains { $0["kind"] as? String == "node-not-ready" }
            }
            #expect(isTold)
            let images = installation.directory + "/state/images"
            for image in try FileManager.default.contentsOfDirectory(atPath: images) {
                try FileManager.default.removeItem(atPath: images + "/" + image)
            }
            let before = try await problems(installation)
            #expect(before.map { $0["kind"] as? String } == ["node-not-ready", "image-missing"])
            #expect(before.first?["machineName"] as? String == "trial")
            #expect(try await problems(installation, "--severity", "critical").count == 1)
            #expect(try await problems(installation, "--machine", "trial").count == 1)
            let table = try await installation.slipway("problem", "list")
            #expect(table.contains("critical  node-not-ready  trial") && table.contains("To do:"), "\(table)")
            let wrong = try await installation.cli(["problem", "list", "--machine", "nobody"])
            #expect(wrong.status == 1 && wrong.output.contains("no machine is called nobody"))

            installation.kill()
            try await installation.start()
            let after = try await problems(installation)
            #expect(after.map { $0["since"] as? String } == before.map { $0["since"] as? String })
            let counted = try await eventually(within: .seconds(20), every: .milliseconds(200)) {
                try await installation.metric(#"slipway_problems{problem="node-not-ready",severity="critical"}"#) == 1
            }
            #expect(counted)

            let history = try await installation.slipway("machine", "history", "trial")
            let lines = history.split(separator: "\n").map(String.init)
            let phases = lines.dropFirst().compactMap { $0.split(separator: " ").dropFirst().first.map(String.init) }
            #expect(phases == ["discovered", "available", "installing", "joining", "ready"], "\(history)")
            #expect(lines.last?.contains("registered as node") == true, "\(history)")
            let report = try await installation.slipway("report", "phases", "--since", "1h")
            #expect(report.contains("PHASE") && report.contains("joining"), "\(report)")
            #expect(try await !installation.slipway("report", "phases", "--profile", "none").contains("joining"))
        }
    }
}
