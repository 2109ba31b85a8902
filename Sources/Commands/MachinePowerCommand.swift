import APIClient
import APIModel
import ArgumentParser
import Machines
import NIOCore

struct MachinePowerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "power", abstract: "Read or change a machine's power through its BMC.")
    @Argument(help: "on, off, cycle, reset or status.") var action: String
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard action == "status" || PowerAction(rawValue: action) != nil else {
            throw ValidationError("\(action) is not one of on, off, cycle, reset, status")
        }
    }

    func run() async throws {
        let (reference, action) = (machine, PowerAction(rawValue: action))
        let view = try await connection.withClient { client in
            let path = "/api/v1/machines/\(reference.escaped)/power"
            guard let action else { return try await client.call(.get, path, as: PowerView.self) }
            return try await client.call(
                .post, path, body: PowerRequest(action: action), as: PowerView.self, timeout: .minutes(20))
        }
        if !format.isTable { try format.write(view) } else { Output.print(view.power.rawValue) }
    }
}
