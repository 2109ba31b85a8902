import APIClient
import APIModel
import ArgumentParser

struct MachineMergeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "A machine that looks like a known one is that one, with a part replaced.")
    @Argument(help: "The machine that raises the question.") var machine: String
    @Argument(help: "The known machine, which keeps its name, its system and its history.") var known: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (reference, body) = (machine, MergeRequest(into: known))
        let view = try await connection.withClient { client in
            try await client.call(
                .post, "/api/v1/machines/\(reference.escaped)/merge", body: body, as: MachineView.self)
        }
        if format.format == .json { try Output.json(view) } else { Output.print("\(reference) is \(view.name)") }
    }
}

struct MachineSplitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split", abstract: "A machine that looks like a known one is another.")
    @Argument(help: "The machine that raises the question.") var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let reference = machine
        let view = try await connection.withClient { client in
            try await client.call(.post, "/api/v1/machines/\(reference.escaped)/split", as: MachineView.self)
        }
        if format.format == .json {
            try Output.json(view)
        } else {
            Output.print("\(view.name) is a machine of its own")
        }
    }
}
