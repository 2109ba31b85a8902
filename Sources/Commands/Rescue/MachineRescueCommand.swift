import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineRescueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescue", abstract: "A root shell on a machine's agent, for a while; its disks are left alone.",
        discussion: """
            The machine is restarted into its agent where it has to be, and goes back to what it was afterwards. Keys go to the shell; behind \
            a new line ~. leaves it without ending it, ~~ is a tilde. It ends when its time is over, by `exit`, or by --end. Who \
            looked, what was typed and what was printed is recorded: `slipway machine shell M --recordings`.
            """)
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(name: .customLong("for"), help: ArgumentHelp("How long, a minute to a day.", valueName: "30m|2h"))
    var time = TimeSpan(seconds: 3600)
    @Flag(help: "End the rescue that goes on.") var end = false
    @Flag(help: "Only ask for it; `slipway machine shell` attaches later.") var noAttach = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let path = "/api/v1/machines/\(machine.escaped)"
        guard !end else {
            return try show(try await connection.call(.post, path + "/end-rescue", as: OperationView.self))
        }
        let request = RescueRequest(seconds: Double(time.seconds))
        let operation = try await connection.call(.post, path + "/rescue", body: request, as: OperationView.self)
        if noAttach { return try show(operation) }
        Output.tell("\(operation.id): a rescue of \(machine) for \(time.description)")
        try await MachineShellCommand.attach(machine, isReadOnly: false, connection)
    }

    private func show(_ operation: OperationView) throws {
        guard format.isTable else { return try format.write(operation) }
        Output.print("\(operation.id) \(operation.abortedBy == nil ? operation.state.rawValue : "is ending")")
    }
}
