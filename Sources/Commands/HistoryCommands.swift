import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Every phase that a machine has been in, for how long, and why; or what was installed on it.",
        discussion: """
            The newest \(PhaseHistory.capacity) phases and \(InstallationHistory.capacity) installations are kept. Where two digests are equal the machine \
            was given the same; slipway machine rollback goes to the one with a star.
            """)
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Flag(help: "What was installed, instead of phases.") var installs = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (path, installs, format) = ("/api/v1/machines/\(machine.escaped)", installs, format)
        try await connection.withClient { client in
            guard installs else {
                let phases = try await client.call(.get, path + "/history", as: ListView<PhaseRecord>.self).items
                if format.isTable { Output.print(Self.table(phases)) } else { try format.write(phases) }
                return
            }
            let done = try await client.call(.get, path + "/installations", as: ListView<InstallationView>.self).items
            if format.isTable { Output.print(Self.table(done)) } else { try format.write(done) }
        }
    }

    private static func table(_ phases: [PhaseRecord]) -> String {
        let rows = phases.map { record in
            [
                APICoding.format(record.since), record.phase.rawValue,
                record.seconds.map(Output.duration) ?? "\(Output.age(record.since)), now", record.operation ?? "-",
                record.reason,
            ]
        }
        return Output.table(["SINCE", "PHASE", "FOR", "OPERATION", "REASON"], rows)
    }

    private static func table(_ installations: [InstallationView]) -> String {
        let rows = installations.map { record in
            [
                APICoding.format(record.at), (record.isGoal ? "* " : "") + record.release, record.cluster,
                record.readyAt.map { "node after \(Output.duration($0.timeIntervalSince(record.at)))" } ?? "no node",
                String(record.digest.prefix(12)), record.disk.words, record.operation,
            ]
        }
        return Output.table(["INSTALLED", "RELEASE", "CLUSTER", "BECAME", "DIGEST", "DISK", "OPERATION"], rows)
    }
}

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Figures over many machines.", subcommands: [ReportPhasesCommand.self])
}

struct ReportPhasesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phases", abstract: "How long machines stay in their phases, by hardware profile.",
        discussion:
            "Of each machine the newest \(PhaseHistory.capacity) phases are kept. Median and 95th percentile are those of phases that did not end as failed."
    )
    @Option(help: "Only this hardware profile's.") var profile: String?
    @Option(help: ArgumentHelp("Only what ended since: 24h, 7d.", valueName: "age")) var since: TimeSpan?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let from = since.map { RFC3339.format(Date().addingTimeInterval(-Double($0.seconds))) }
        let query = [profile.map { "profile=\($0.escaped)" }, from.map { "since=\($0.escaped)" }]
            .compactMap { $0 }.joined(separator: "&")
        let list = try await connection.call(
            .get, "/api/v1/reports/phases?" + query, as: ListView<PhaseReport.Row>.self)
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map { row -> [String] in
            let (median, p95) = (row.median.map(Output.duration) ?? "-", row.p95.map(Output.duration) ?? "-")
            return [row.phase.rawValue, row.profile ?? "-", "\(row.count)", "\(row.failed)", median, p95]
        }
        Output.print(Output.table(["PHASE", "PROFILE", "COUNT", "FAILED", "MEDIAN", "P95"], rows))
    }
}
