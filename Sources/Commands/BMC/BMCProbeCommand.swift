import APIClient
import APIModel
import ArgumentParser
import Machines

struct BMCCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bmc", abstract: "Management controllers.", subcommands: [BMCProbeCommand.self])
}

struct BMCProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "What answers at an address, by Redfish and by IPMI.",
        discussion: "The daemon asks. With a user it logs in too. Nothing is kept, and nothing is changed.")
    @Argument(help: "IP address of the BMC.") var address: String
    @OptionGroup var login: BMCLoginOptions
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let probe = try await connection.call(
            .post, "/api/v1/bmc-probe", body: try login.request(address), as: BMCProbe.self)
        guard format.isTable else { return try format.write(probe) }
        for finding in probe.findings { Output.print(BMCText.describe(finding)) }
        guard let kind = probe.recommended else {
            Output.tell("nothing that controls a machine answers at \(address)")
            throw ExitCode(1)
        }
        Output.tell("use \(kind.rawValue)")
    }
}
