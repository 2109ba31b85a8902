import APIClient
import APIModel
import ArgumentParser
import Foundation
import Inventory

struct MachineDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "What changed in a machine's hardware.",
        discussion:
            "Each change makes a new revision, which is told with its time. Without --since it is the newest change.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(
        help: ArgumentHelp("A revision's number, or how long ago: 24h, 7d.", valueName: "revision or age"))
    var since: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard let since, Int(since) == nil, TimeSpan(argument: since) == nil else { return }
        throw ValidationError("\(since) is neither a revision's number nor an age such as 24h or 7d")
    }

    func run() async throws {
        let (path, since) = ("/api/v1/machines/\(machine.escaped)", since)
        let view = try await connection.withClient { client in
            let query = try await Self.revision(since, path, client).map { "?since=\($0)" } ?? ""
            return try await client.call(.get, path + "/hardware-changes" + query, as: HardwareChangesView.self)
        }
        guard format.isTable else { return try format.write(view) }
        guard let from = view.from else {
            return Output.tell("revision \(view.to.number) of \(Output.age(view.to.since)) ago is the only one")
        }
        Output.tell(
            "revision \(from.number) of \(Output.age(from.since)) ago → \(view.to.number) of \(Output.age(view.to.since)) ago"
        )
        if view.changes.isEmpty { Output.tell("nothing is different") }
        for change in view.changes { Output.print(change.description) }
    }

    /// The revision that was the machine's at that time.
    private static func revision(_ since: String?, _ path: String, _ client: APIClient) async throws -> Int? {
        guard let since else { return nil }
        if let number = Int(since) { return number }
        guard let age = TimeSpan(argument: since) else { return nil }
        let list = try await client.call(
            .get, path + "/hardware-revisions", as: ListView<HardwareRevisionView>.self
        ).items
        let time = Date().addingTimeInterval(-Double(age.seconds))
        return (list.last { $0.since <= time } ?? list.first)?.number
    }
}

struct MachineConfirmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "The changed hardware of a machine that has its system is right.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/confirm", as: MachineView.self)
        if !format.isTable { try format.write(view) } else { Output.print("\(view.name): hardware confirmed") }
    }
}
