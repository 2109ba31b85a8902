import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct ProblemCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "problem", abstract: "What is wrong, and what to do.", subcommands: [ProblemListCommand.self])
}

extension Problem.Severity: ExpressibleByArgument {}

struct ProblemListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All problems, the worst first.",
        discussion: "docs/problems.md tells what each means. Ends with status 0 whether there are any or not.")
    @Option(help: "critical, warning or info: leaves out what is less bad.") var severity: Problem.Severity?
    @Option(help: "Only this machine's: id, name, MAC address or serial number.") var machine: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let query = [severity.map { "severity=\($0.rawValue)" }, machine.map { "machine=\($0.escaped)" }]
            .compactMap { $0 }.joined(separator: "&")
        let list = try await connection.call(.get, "/api/v1/problems?" + query, as: ListView<Problem>.self)
        guard format.isTable else { return try format.write(list.items) }
        guard !list.items.isEmpty else { return Output.tell("nothing is wrong") }
        Output.print(Self.table(list.items, now: Date()))
    }

    static func table(_ problems: [Problem], now: Date) -> String {
        let rows = problems.map { problem in
            [
                problem.severity.rawValue, problem.kind.rawValue, problem.machineName ?? "-",
                Output.age(problem.since, now: now), "\(problem.seen). To do: \(problem.attempt)",
            ]
        }
        return Output.table(["SEVERITY", "PROBLEM", "MACHINE", "SINCE", "WHAT TO DO"], rows)
    }
}
