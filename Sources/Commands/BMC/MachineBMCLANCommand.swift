import APIClient
import APIModel
import ArgumentParser
import Machines

struct MachineBMCLANCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lan", abstract: "How a machine's BMC is in its own LAN, by IPMI.",
        subcommands: [MachineBMCLANShowCommand.self, MachineBMCLANSetCommand.self])
}

struct MachineBMCLANShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Address, netmask and gateway.")
    @Argument(help: "Id, name, MAC address or serial number.") var machine: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let network = try await connection.call(
            .get, "/api/v1/machines/\(machine.escaped)/bmc/lan", as: BMCNetwork.self)
        guard format.isTable else { return try format.write(network) }
        Output.print(BMCText.describe(network).joined(separator: "\n"))
    }
}

struct MachineBMCLANSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Give a machine's BMC another address, or have it ask for one by DHCP.",
        discussion: """
            What was set is read back at the BMC's new address, and Slipway talks to it there from then on. A BMC that asks for its address by \
            DHCP may get one that nobody here knows: it is told when it does not answer any more.
            """)
    @Argument(help: "Id, name, MAC address or serial number.") var machine: String
    @Flag(help: "It gets its address by DHCP.") var dhcp = false
    @Option(help: "IPv4 address.") var address: String?
    @Option(help: "Such as 255.255.255.0.") var netmask: String?
    @Option(help: "IPv4 address of the router; without it there is none.") var gateway: String?
    @Flag(help: "It may get another address than it has.") var move = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard dhcp != (address != nil), (address == nil) == (netmask == nil), !dhcp || gateway == nil else {
            throw ValidationError("--dhcp alone, or --address and --netmask, with --gateway or without")
        }
    }

    func run() async throws {
        let body = BMCNetworkRequest(
            dhcp: dhcp ? true : nil, address: address, netmask: netmask, gateway: gateway, moves: move ? true : nil)
        let change = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/bmc/lan", body: body, as: BMCNetworkChange.self)
        guard format.isTable else { return try format.write(change) }
        Output.print("it was  \(change.before.summary)\nit is   \(change.after.summary)")
    }
}
