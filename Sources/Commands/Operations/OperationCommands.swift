import APIClient
import APIModel
import ArgumentParser
import Foundation
import Inventory
import Machines

struct OperationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operation", abstract: "Work on machines that somebody asked for.",
        subcommands: [
            OperationListCommand.self, OperationShowCommand.self, OperationApproveCommand.self,
            OperationAbortCommand.self,
        ])
}

struct OperationListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Operations, the newest first.")
    @Option(help: "pending, running, succeeded, failed or aborted.") var state: Machines.Operation.State?
    @Flag(name: .shortAndLong, help: "Go on as things happen.") var watch = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (state, watch, format) = (state, watch, format)
        try await connection.withClient { client in
            guard !watch else {
                let table = WatchedTable<OperationView>(
                    format: format, id: { $0.id }, isWanted: { state == nil || $0.state == state },
                    table: { OperationText.table($0) })
                return try await table.run("/api/v1/operations?watch=true", client)
            }
            let query = state.map { "?state=\($0.rawValue)" } ?? ""
            let list = try await client.list("/api/v1/operations" + query, as: OperationView.self)
                .sorted { $0.createdAt > $1.createdAt }
            guard format.isTable else { return try format.write(list) }
            format.show(OperationText.table(list))
        }
    }
}

struct OperationShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One operation: its steps, its progress, and what became of each disk.")
    @Argument(help: "Its id.") var operation: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(.get, "/api/v1/operations/\(operation.escaped)", as: OperationView.self)
        guard format.isTable else { return try format.write(view) }
        Output.print(OperationText.describe(view))
    }
}

struct OperationApproveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "approve", abstract: "The second person's word for an operation that needs one.")
    @Argument(help: "Its id.") var operation: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(
            .post, "/api/v1/operations/\(operation.escaped)/approve", body: EmptyBody(), as: OperationView.self)
        guard format.isTable else { return try format.write(view) }
        Output.print("\(view.id) approved: \(view.verb.rawValue) for \(view.requestedBy)")
    }
}

struct OperationAbortCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "End an operation at the next point where nothing is half done.")
    @Argument(help: "Its id.") var operation: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(
            .post, "/api/v1/operations/\(operation.escaped)/abort", body: EmptyBody(), as: OperationView.self)
        guard format.isTable else { return try format.write(view) }
        Output.print("\(view.id) is to end at the next safe point")
    }
}

extension Machines.Operation.State: ExpressibleByArgument {}

/// Operations for people.
enum OperationText {
    static func table(_ operations: [OperationView]) -> TextTable {
        TextTable(
            ["ID", "MACHINE", "VERB", "STATE", "STEP", "ASKED BY", "AGO", "WHY"],
            operations.map { operation in
                let current = operation.steps.first { $0.state == .current }
                return [
                    operation.id, operation.machineName ?? operation.machine, operation.verb.rawValue,
                    operation.state.rawValue,
                    current?.step.rawValue ?? "-", operation.requestedBy, Output.age(operation.createdAt),
                    operation.error ?? operation.waitsFor ?? operation.setback?.reason ?? operation.powerFault
                        ?? operation.systemWord?.text ?? "-",
                ]
            })
    }

    static func describe(_ operation: OperationView) -> String {
        var lines: [(String, String)] = [
            (
                "operation",
                "\(operation.id), \(operation.verb.rawValue) of \(operation.machineName ?? operation.machine)"
            ),
            ("state", operation.state.rawValue + (operation.error.map { ": \($0)" } ?? "")),
            ("asked by", "\(operation.requestedBy), \(Output.age(operation.createdAt)) ago"),
        ]
        if let person = operation.approvedBy { lines.append(("approved", person)) }
        if let words = operation.waitsFor { lines.append(("waits for", words)) }
        if let person = operation.abortedBy { lines.append(("aborted", person)) }
        if let release = operation.release { lines.append(("installs", "\(release) into \(operation.cluster ?? "-")")) }
        for step in operation.steps {
            var words = step.step.rawValue
            switch step.state {
            case .done:
                if let since = step.since, let until = step.until {
                    words += ", done in \(Output.duration(until.timeIntervalSince(since)))"
                }
            case .current: words += step.since.map { ", since \(Output.age($0))" } ?? ""
            case .ahead: words += ", to come"
            }
            lines.append(("step", words))
        }
        if let setback = operation.setback { lines.append(("setback", "\(setback.reason); tried again")) }
        if let fault = operation.powerFault { lines.append(("power", fault)) }
        if let word = operation.systemWord {
            lines.append(("says", "\(word.text), \(Output.age(word.at)) ago\(word.isFault ? "; look at it" : "")"))
        }
        if let progress = operation.progress {
            lines.append(("agent", progress.step.words))
            for disk in progress.disks ?? [] {
                let part = disk.fraction.map { " \(ProgressBoard.percent($0))" } ?? ""
                lines.append(("", "\(disk.disk): \(disk.step.rawValue) \(disk.method?.rawValue ?? "")\(part)"))
            }
        }
        for disk in operation.disks ?? [] {
            let name = disk.serial ?? disk.wwn ?? disk.path
            switch disk.outcome {
            case .erased:
                lines.append(
                    (
                        "disk",
                        "\(name) erased by \(disk.method?.rawValue ?? "-"); \(disk.readBack?.finding ?? "not read")"
                    ))
            case .failed(let reason): lines.append(("disk", "\(name) NOT erased: \(reason)"))
            }
        }
        if let certificate = operation.certificate {
            lines.append(("proof", "slipway certificate show \(certificate)"))
        }
        return Output.lines(lines)
    }
}
