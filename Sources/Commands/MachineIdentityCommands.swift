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
        let view = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/merge", body: MergeRequest(into: known), as: MachineView.self)
        if !format.isTable { try format.write(view) } else { Output.print("\(machine) is \(view.name)") }
    }
}

struct MachineSplitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "split", abstract: "A machine that looks like a known one is another.")
    @Argument(help: "The machine that raises the question.") var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/split", as: MachineView.self)
        if !format.isTable {
            try format.write(view)
        } else {
            Output.print("\(view.name) is a machine of its own")
        }
    }
}
