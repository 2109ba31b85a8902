import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "All machines, or those of an expression.",
        discussion: "Such as 'rack=r1,unit=1-20' or 'r1u[01-20] - r1u07': docs/selecting-machines.md.")
    @Argument(help: "Which machines; all without it.", completion: .machine) var machines: [String] = []
    @Option(
        name: [.customShort("l"), .long], help: ArgumentHelp("Only with these labels.", valueName: "env=prod,!spare"))
    var selector: String?
    @Flag(name: .shortAndLong, help: "Go on as things happen.") var watch = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws { _ = try MachineSelection(expression: machines, labels: selector) }

    func run() async throws {
        let (selection, format) = (try MachineSelection(expression: machines, labels: selector), format)
        try await connection.withClient { client in
            // First a list, also of a watch: it tells names that are nobody's.
            let all = try await client.machines()
            let chosen = try selection.select(from: all)
            guard !watch else {
                let table = WatchedTable<MachineView>(
                    format: format, id: { $0.id }, isWanted: { selection.contains($0) },
                    table: { MachineText.table($0) })
                return try await table.run("/api/v1/machines?watch=true", client)
            }
            guard format.isTable else { return try format.write(chosen) }
            format.show(MachineText.table(chosen))
            for machine in chosen {
                if let failure = machine.failure { Output.tell("\(machine.name) failed: \(failure)") }
            }
            if chosen.isEmpty {
                Output.tell(
                    all.isEmpty ? "no machine has been seen yet; try: slipway doctor" : "none of \(all.count) machines")
            }
        }
    }
}

extension APIClient {
    /// All machines, by name.
    func machines() async throws -> [MachineView] {
        try await list("/api/v1/machines", as: MachineView.self).sorted { $0.name < $1.name }
    }
}

struct MachineShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One machine, with its hardware and conditions.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Flag(name: .shortAndLong, help: "Go on as things happen.") var watch = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (path, watch, format) = ("/api/v1/machines/\(machine.escaped)", watch, format)
        try await connection.withClient { client in
            let view = try await client.call(.get, path, as: MachineView.self)
            guard watch else {
                return format.isTable ? Output.print(MachineText.describe(view)) : try format.write(view)
            }
            try await Self.follow(view, client, format)
        }
    }

    /// On a terminal what it is now; in a pipe each state it takes.
    private static func follow(_ machine: MachineView, _ client: APIClient, _ format: FormatOption) async throws {
        let region = format.isTable && Screen.output.isTerminal ? LiveRegion(Screen.output) : nil
        let path = "/api/v1/machines/\(machine.id.escaped)"
        try await client.follow("/api/v1/machines?watch=true&machine=\(machine.id.escaped)", as: MachineView.self) {
            event in
            switch event {
            case .put(let change):
                guard format.isTable else { try format.writeNext(change, name: change.name); break }
                // The watch leaves the hardware out.
                let view = try await client.call(.get, path, as: MachineView.self)
                let text = MachineText.describe(view)
                if let region, let size = Screen.output.size {
                    let lines = Output.fit(text).split(separator: "\n", omittingEmptySubsequences: false).prefix(
                        size.height - 2)
                    region.draw(lines.map { TextTable.cut(String($0), to: size.width - 1) })
                } else {
                    Output.print(text + "\n")
                }
            case .delete:
                Output.tell("\(machine.name) was deleted")
                return false
            case .lost(let reason): if region == nil { Output.tell("\(reason); still watching") }
            case .began, .listed: break
            }
            return true
        }
    }
}

extension MachineText {
    static func tone(_ phase: String) -> Tone? {
        switch Phase(rawValue: phase) {
        case .ready: .good
        case .failed: .bad
        case .inspecting, .installing, .joining, .draining, .wiping: .busy
        case .discovered, .maintenance, .rescue: .special
        case .rejected, .retired: .faint
        case .available, nil: nil
        }
    }

    static func table(_ machines: [MachineView], now: Date = Date()) -> TextTable {
        let columns: [TextTable.Column] = [
            .init(title: "NAME"), .init(title: "PHASE", isFirm: true, tone: { tone($0) }), .init(title: "FOR"),
            .init(title: "POWER", tone: { $0 == "off" ? .faint : nil }), .init(title: "LOCATION"),
            .init(title: "PROFILE"),
            .init(title: "CLUSTER"), .init(title: "NODE"), .init(title: "RELEASE"),
            .init(title: "ID", tone: { _ in .faint }),
            .init(title: "SERIAL", isWide: true), .init(title: "ACCEPTED", isWide: true),
            .init(title: "PROTECTED", isWide: true), .init(title: "BMC", isWide: true),
            .init(title: "OPERATION", isWide: true),
            .init(title: "PROBLEMS", isWide: true, tone: { $0 == "-" ? nil : .bad }),
            .init(title: "LABELS", isWide: true),
        ]
        let rows = machines.map { machine in
            [
                machine.name, machine.phase.rawValue, Output.age(machine.phaseSince, now: now), machine.power.rawValue,
                place(machine), machine.profile ?? "-", machine.cluster ?? "-", machine.node ?? "-",
                machine.release ?? "-", machine.id, machine.serial ?? "-", machine.accepted ? "yes" : "no",
                machine.protected ? "yes" : "no", machine.bmc?.summary ?? "-",
                machine.operation.map { "\($0.verb.rawValue) \($0.state.rawValue)" } ?? "-",
                machine.problems.isEmpty ? "-" : "\(machine.problems.count)",
                machine.labels.isEmpty ? "-" : ProfileText.labels(machine.labels),
            ]
        }
        return TextTable(columns, rows)
    }
}
