import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until something is so.", subcommands: [WaitMachineCommand.self])
}

struct WaitMachineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Wait until all of these machines are as they should be.",
        discussion: """
            A machine that fails on its way ends the waiting for it. Status 0: all are; 1: one failed; 124: the time ran out \
            (slipway exit-codes).
            """)
    @Argument(help: "Which machines: docs/selecting-machines.md.", completion: .machine) var machines: [String]
    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "phase=ready (or phase=ready,failed), condition=NodeReady (or condition=NodeReady=false), or deleted.",
            valueName: "what"))
    var wanted: WaitGoal
    @Option(help: ArgumentHelp("How long.", valueName: "30s|30m|2h|7d")) var timeout = TimeSpan(seconds: 3600)
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { _ = try MachineSelection(expression: machines) }

    func run() async throws {
        let (selection, wanted, timeout, format) = (
            try MachineSelection(expression: machines), wanted, timeout, format
        )
        try await connection.withClient { client in
            let all = try await client.machines()
            let chosen: [MachineView]
            do {
                chosen = try selection.select(from: all)
            } catch let error as SelectionError {
                // Who is gone already is not called anything any more.
                guard wanted == .deleted, selection.expression?.isNamesOnly == true else { throw error }
                chosen = all.filter { selection.contains($0) }
            }
            let report = try await Waiting.follow(
                chosen.map { .init(id: $0.id, name: $0.name) }, client: client, timeout: timeout.duration,
                painter: format.noticePainter, until: { machine, _ in wanted.judge(machine) })
            if !format.isTable {
                try format.write(report.outcomes.compactMap(\.machine))
            }
            try report.finish(after: timeout)
            if format.isTable {
                for outcome in report.outcomes { Output.print("\(outcome.target.name) \(wanted.words)") }
            }
        }
    }
}

/// What one waits for.
enum WaitGoal: ExpressibleByArgument, Equatable, Sendable {
    case phase([Phase])
    case condition(Condition.Kind, Bool)
    case deleted

    init?(argument: String) {
        let parts = argument.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        switch (parts[0], parts.count) {
        case ("deleted", 1): self = .deleted
        case ("phase", 2):
            let words = parts[1].split(separator: ",", omittingEmptySubsequences: false)
            let phases = words.compactMap { Phase(rawValue: String($0)) }
            guard !phases.isEmpty, phases.count == words.count else { return nil }
            self = .phase(phases)
        case ("condition", 2), ("condition", 3):
            let status = parts.count == 3 ? Bool(parts[2].lowercased()) : true
            guard let kind = Condition.Kind(rawValue: parts[1]), let status else { return nil }
            self = .condition(kind, status)
        default: return nil
        }
    }

    static var allValueStrings: [String] {
        Phase.allCases.map { "phase=\($0.rawValue)" } + ["condition=NodeReady", "condition=DisksBlank", "deleted"]
    }

    var words: String {
        switch self {
        case .phase(let phases): "is " + phases.map(\.rawValue).joined(separator: " or ")
        case .condition(let kind, let status): "has \(kind.rawValue)=\(status)"
        case .deleted: "is deleted"
        }
    }

    func judge(_ machine: MachineView?) -> Waiting.Verdict {
        guard let machine else { return self == .deleted ? .done() : .failed("it was deleted") }
        switch self {
        case .deleted: return .going
        case .phase(let phases):
            if phases.contains(machine.phase) { return .done("is \(machine.phase.rawValue)") }
        case .condition(let kind, let status):
            if machine.conditions.contains(where: { $0.type == kind && $0.status == status }) {
                return .done("\(kind.rawValue)=\(status)")
            }
        }
        return machine.phase == .failed ? .failed(machine.failure ?? "no reason was recorded") : .going
    }
}
