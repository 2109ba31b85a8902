import APIClient
import APIModel
import ArgumentParser
import Foundation
import NIOCore

struct OSRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove an OS release that no machine has or is to have.",
        discussion: "Its files stay in the library until slipway os prune.")
    @Argument(help: "Its name.", completion: .release) var name: String
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let name = name
        try await connection.withClient { client in
            try await client.send(.delete, "/api/v1/os-releases/\(name.escaped)")
        }
        Output.print("\(name) removed")
    }
}

struct OSVerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read the files of a release again, or of all; status 1 when one is not what it was.",
        discussion:
            "The daemon does so by itself each week. A file that is not what it was is removed: add its release again.")
    @Argument(help: "Name of a release. Default: all that is in the library.", completion: .release) var name: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let name = name
        let report = try await connection.withClient { client in
            let releases = try await client.call(.get, "/api/v1/os-releases", as: ListView<OSReleaseView>.self).items
            let names = name.map { [$0] } ?? releases.map(\.name)
            var whole = LibraryReport()
            let line = ProgressLine()
            // One after the other: each takes as long as its disk.
            for name in names {
                line.show("reading the files of \(name)")
                let part = try await client.call(
                    .post, "/api/v1/library/verify?release=\(name.escaped)", as: LibraryReport.self, timeout: .hours(1))
                whole.fine += part.fine
                whole.damaged += part.damaged
                whole.missing += part.missing
            }
            line.finish()
            return whole
        }
        if format.isTable {
            for digest in report.damaged { Output.print("damaged, and removed: \(digest)") }
            for digest in report.missing { Output.print("missing: \(digest)") }
            Output.print("\(report.fine.count) files are what they were")
        } else {
            try format.write(report)
        }
        if !report.damaged.isEmpty || !report.missing.isEmpty { throw ExitStatus.failed.code }
    }
}

struct OSPruneCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove files that no release names from the library.",
        discussion: "What a release names stays, and so does what came within the last hour.")
    @Flag(help: "Only tell what would be removed.") var dryRun = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = "/api/v1/library/prune" + (dryRun ? "?dryRun=true" : "")
        let report = try await connection.call(.post, path, as: LibraryReport.self)
        guard format.isTable else { return try format.write(report) }
        for digest in report.removed { Output.print("\(dryRun ? "would be removed" : "removed"): \(digest)") }
        Output.print("\(report.removed.count) files, \(report.freedBytes >> 20) MiB; \(report.fine.count) stay")
    }
}
