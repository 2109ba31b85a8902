import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import NetworkAddresses

struct MachineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Physical servers.",
        subcommands: [
            MachineListCommand.self, MachineShowCommand.self, MachineAcceptCommand.self, MachineSetCommand.self,
            MachineExpectCommand.self, MachineProvisionCommand.self, MachineReprovisionCommand.self,
            MachineRollbackCommand.self, MachineWipeCommand.self, MachineReleaseCommand.self, MachineRetryCommand.self,
            MachineAbortCommand.self,
            MachineRejectCommand.self, MachineMaintainCommand.self, MachineResumeCommand.self,
            MachineProtectCommand.self, MachineUnprotectCommand.self, MachineRetireCommand.self,
            MachineForgetCommand.self, MachineForgottenCommand.self,
            MachineDiffCommand.self, MachineConfirmCommand.self, MachineMergeCommand.self, MachineSplitCommand.self,
            MachinePowerCommand.self, MachineIdentifyCommand.self, MachineSensorsCommand.self, MachineSELCommand.self,
            MachineFirmwareCommand.self, MachineMediaCommand.self, MachineBMCCommand.self, MachineConsoleCommand.self,
            MachineRescueCommand.self, MachineShellCommand.self,
            MachineBootTraceCommand.self, MachineHistoryCommand.self, MachineRenderCommand.self,
        ])
}

struct MachineAcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Give Slipway leave to change a machine. Accepting never wipes anything.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(help: "A new name, which is also the host name.") var name: String?
    @Option(help: "Address of the BMC.") var bmc: String?
    @Option(help: "Port of the BMC, where it is not the protocol's own.") var bmcPort: Int?
    @Option(help: "redfish or ipmi; without it whichever answers.") var bmcKind: BMCKind?
    @Option(help: "User on the BMC.") var bmcUser: String?
    @Option(help: "File that holds the BMC password.") var bmcPasswordFile: String?
    @Option(help: ArgumentHelp("Static address of the installed system.", valueName: "address/bits")) var address:
        String?
    @Option(help: "Gateway for the static address.") var gateway: String?
    @Option(help: "NIC for the static address, by MAC.") var mac: String?
    @Option(help: "Name server for the static address; may be given again.") var dns: [String] = []
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (bmc == nil) == (bmcUser == nil), (bmc == nil) == (bmcPasswordFile == nil) else {
            throw ValidationError("--bmc, --bmc-user and --bmc-password-file go together")
        }
        guard (address == nil) == (mac == nil) else { throw ValidationError("--address and --mac go together") }
        guard address != nil || (gateway == nil && dns.isEmpty) else {
            throw ValidationError("--gateway and --dns belong to a static address: say --address and --mac too")
        }
    }

    func run() async throws {
        var body = AcceptRequest(name: name)
        if let bmc, let bmcUser, let bmcPasswordFile {
            body.bmc = BMCRequest(
                address: bmc, port: bmcPort, kind: bmcKind, username: bmcUser,
                password: try PasswordFile.read(bmcPasswordFile))
        }
        if let address, let mac { body.network = try network(address, mac: mac) }
        let (reference, request) = (machine, body)
        let view = try await connection.withClient { client in
            try await client.call(
                .post, "/api/v1/machines/\(reference.escaped)/accept", body: request, as: MachineView.self)
        }
        if !format.isTable { try format.write(view) } else { Output.print("\(view.name) accepted") }
    }

    private func network(_ text: String, mac: String) throws -> MachineNetwork {
        guard let own = IPPrefix(text) else {
            throw ValidationError("\(text) is not an address with its prefix length, such as 10.0.0.5/24")
        }
        guard let hardware = MACAddress(mac) else { throw ValidationError("\(mac) is not a MAC address") }
        return .single(
            mac: hardware, own, gateway: try gateway.map(Self.host), nameServers: try dns.map(Self.host))
    }

    private static func host(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else { throw ValidationError("\(text) is not an address") }
        return address
    }
}
