import APIClient
import ArgumentParser
import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite struct ReleaseFileTests {
    @Test("one name is not given to several releases of a folder")
    func oneName() async throws {
        try await withTemporaryDirectory { directory in
            for folder in ["a", "b/c"] {
                try FileManager.default.createDirectory(
                    atPath: directory + "/" + folder, withIntermediateDirectories: true)
                try Data("{}".utf8).write(to: URL(filePath: "\(directory)/\(folder)/release.json"))
            }
            let command = try OSAddCommand.parse([directory, "--name", "x"])
            do {
                try await command.run()
                Issue.record("it was sent")
            } catch let error as ClientError {
                #expect(error.description.contains("--name") && error.description.contains("b/c/release.json"))
            }
        }
    }
}
