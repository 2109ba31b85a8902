import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Every phase that a machine has been in, for how long, and why.",
        discussion: "The newest \(PhaseHistory.capacity) are kept.")
    @Argument(help: "Id, name, MAC address or serial number.") var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(
            .get, "/api/v1/machines/\(machine.escaped)/history", as: ListView<PhaseRecord>.self)
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map { record in
            [
                APICoding.format(record.since), record.phase.rawValue,
                record.seconds.map(Output.duration) ?? "\(Output.age(record.since)), now", record.operation ?? "-",
                record.reason,
            ]
        }
        Output.print(Output.table(["SINCE", "PHASE", "FOR", "OPERATION", "REASON"], rows))
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
