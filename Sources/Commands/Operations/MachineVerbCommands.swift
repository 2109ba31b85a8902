import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

/// A verb that is done at once, for one machine or several.
protocol MachineVerbCommand: AsyncParsableCommand {
    static var path: String { get }
    /// For people: `node-1 protected`.
    static var participle: String { get }
    var machines: [String] { get }
    var format: FormatOption { get }
    var connection: ConnectionOptions { get }
}

struct EmptyBody: Codable, Sendable {}

extension MachineVerbCommand {
    func runVerb<View: Decodable & Encodable & Sendable>(
        _ body: any Encodable & Sendable = EmptyBody(), as _: View.Type = MachineView.self
    ) async throws {
        let (machines, format) = (machines, format)
        try await connection.withClient { client in
            for machine in machines {
                let view = try await client.call(
                    .post, "/api/v1/machines/\(machine.escaped)/\(Self.path)", body: body, as: View.self)
                if format.isTable {
                    Output.print("\((view as? MachineView)?.name ?? machine) \(Self.participle)")
                } else {
                    try format.writeNext(view, name: machine)
                }
            }
        }
    }
}

struct MachineRejectCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "reject", abstract: "A machine that was seen is none of ours: its firmware gets no answer.")
    static let (path, participle) = ("reject", "rejected")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb() }
}

struct MachineMaintainCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "maintain", abstract: "Hands off: nothing is done to machines until `resume`.")
    static let (path, participle) = ("maintain", "in maintenance")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @Option(help: "Why, for the others.") var reason: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb(MaintainRequest(reason: reason)) }
}

struct MachineResumeCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(commandName: "resume", abstract: "The end of a maintenance.")
    static let (path, participle) = ("resume", "back from maintenance")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb() }
}

struct MachineProtectCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "protect", abstract: "Nothing that destroys data is done to a machine, and nobody forgets it.")
    static let (path, participle) = ("protect", "protected")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb() }
}

struct MachineUnprotectCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(commandName: "unprotect", abstract: "The end of `protect`.")
    static let (path, participle) = ("unprotect", "not protected any more")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb() }
}

struct MachineRetireCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire", abstract: "Out of service for good: its firmware gets no answer.")
    static let (path, participle) = ("retire", "retired")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb() }
}

struct MachineRetryCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try again what failed, from the step that failed on.")
    static let (path, participle) = ("retry", "is tried again")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb(as: OperationView.self) }
}

struct MachineAbortCommand: MachineVerbCommand {
    static let configuration = CommandConfiguration(
        commandName: "abort", abstract: "End what is under way at the next point where nothing is half done.",
        discussion:
            "An agent that erases or writes a disk ends that first. What was done by then is in `slipway operation show`."
    )
    static let (path, participle) = ("abort", "is to end at the next safe point")
    @Argument(help: "Ids, names, MAC addresses or serial numbers.", completion: .machine) var machines: [String]
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions
    func run() async throws { try await runVerb(as: OperationView.self) }
}

struct MachineForgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Remove a machine and its secrets; a tombstone stays.",
        discussion:
            "Nothing is done to its disks. --force is for one that is gone: nothing is asked of it, of its BMC or of its cluster."
    )
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Flag(help: "Also one that is a node or at work.") var force = false
    @Option(help: ArgumentHelp("What would be typed: the machine's name. For scripts.", valueName: "name"))
    var confirm: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (path, force, confirm, format) = ("/api/v1/machines/\(machine.escaped)", force, confirm, format)
        try await connection.withClient { client in
            let view = try await client.call(.get, path, as: MachineView.self)
            try BulkOperation.confirm(
                "forget \(view.name), which is \(view.phase.rawValue): type \(view.name) to go on", view.name,
                given: confirm)
            let tombstone = try await client.call(
                .delete, "/api/v1/machines/\(view.id.escaped)" + (force ? "?force=true" : ""), as: TombstoneView.self)
            guard format.isTable else { return try format.write(tombstone, names: [tombstone.name]) }
            Output.print("\(tombstone.name) is forgotten")
            if tombstone.mayHoldData { Output.tell("its disks may hold data: they were not seen blank") }
        }
    }
}

struct MachineForgottenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forgotten", abstract: "Machines that were forgotten, and by whom.")
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.call(.get, "/api/v1/tombstones", as: ListView<TombstoneView>.self).items
        guard format.isTable else { return try format.write(list, names: list.map(\.name)) }
        let rows = list.map {
            [
                $0.name, $0.serial ?? "-", $0.phase.rawValue, $0.mayHoldData ? "maybe" : "no", $0.forgottenBy,
                Output.age($0.forgottenAt), $0.id,
            ]
        }
        format.show(TextTable(["NAME", "SERIAL", "WAS", "DATA", "BY", "AGO", "ID"], rows))
    }
}
