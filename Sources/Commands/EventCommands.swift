import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import NetworkAddresses

struct EventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "What happened, and who did it.", subcommands: [EventListCommand.self])
}

struct EventListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "The trail, oldest first.")
    @Option(help: "Only this machine's: id, name, MAC address or serial number.") var machine: String?
    @Option(help: "Only the newest ones.") var limit = 1000
    @Flag(help: "Go on as things happen.") var watch = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let query = machine.map { "machine=\($0.escaped)&" } ?? ""
        let (limit, watch, isTable) = (limit, watch, format.isTable)
        try await connection.withClient { client in
            guard watch else {
                let list = try await client.call(
                    .get, "/api/v1/events?\(query)limit=\(limit)", as: ListView<EventView>.self)
                if isTable {
                    for event in list.items { Output.print(Self.line(event)) }
                } else {
                    try format.write(list.items)
                }
                return
            }
            try await client.watch("/api/v1/events?\(query)watch=true", as: EventView.self) { event in
                guard case .put(let event) = event else { return true }
                if isTable {
                    Output.print(Self.line(event))
                } else {
                    // One object a line, so that a reader need not wait for the end.
                    Output.print(String(decoding: try APICoding.encoder.encode(event), as: UTF8.self))
                }
                return true
            }
        }
    }

    static func line(_ event: EventView) -> String {
        "\(APICoding.format(event.time))  \(event.type.rawValue.padding(toLength: 18, withPad: " ", startingAt: 0)) "
            + "\(event.machine ?? event.mac?.description ?? "-")  \(event.message)"
    }
}
