import APIClient
import ArgumentParser
import Foundation
import Machines
import TestSupport
import Testing

@testable import Commands

@Suite struct ReleaseFileTests {
    private static let reference = "oci://ghcr.io/own/os@sha256:" + String(repeating: "0a", count: 32) + "#vmlinuz"

    @Test("a file is one beside it with its digest, or a reference by itself")
    func files() async throws {
        try await withTemporaryDirectory { directory in
            func read(_ kernel: String) throws -> ReleaseFile {
                let file = directory + "/release.json"
                try """
                {"os": "debian", "version": "12", "architecture": "amd64", "artifacts": {
                    "kernel": \(kernel), "initrd": {"file": "initrd.gz", "sha256": "ab", "bytes": 7}}}
                """.write(toFile: file, atomically: true, encoding: .utf8)
                return try ReleaseFile.read(file)
            }
            let release = try read("{\"file\": \"\(Self.reference)\"}")
            #expect(release.references == [.kernel: Self.reference])
            #expect(release.artifacts.mapValues(\.path) == [.initrd: directory + "/initrd.gz"])
            for wrong in [
                "{\"file\": \"\(Self.reference)\", \"sha256\": \"ab\", \"bytes\": 1}",
                "{\"file\": \"oci://ghcr.io/own\"}",
                "{\"file\": \"linux\"}", "{\"file\": \"linux\", \"sha256\": \"ab\"}",
                "{\"file\": \"https://example.org/x\", \"sha256\": \"ab\", \"bytes\": 1}",
            ] { #expect(throws: ClientError.self) { try read(wrong) } }
        }
    }

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
