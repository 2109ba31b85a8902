import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineProvisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provision", abstract: "Install an operating system and join a cluster.")
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(help: "Name of the cluster.", completion: .cluster) var cluster: String
    @Option(name: .customLong("os"), help: "Name of the OS release.", completion: .release) var release: String
    @Option(help: "Root disk: serial, WWN, or path of a disk that has neither. Default: the profile's hint.") var disk:
        String?
    @Flag(help: "Data on the root disk may be overwritten.") var erase = false
    @Option(help: "worker or control-plane.") var role: Machine.NodeRole?
    @Flag(help: "Nothing is begun before another person says `slipway operation approve`.") var requireApproval = false
    @Flag(help: "Wait until the machine is a node, or failed.") var wait = false
    @Option(help: ArgumentHelp("How long to wait.", valueName: "30s|30m|2h")) var timeout = TimeSpan(seconds: 3600)
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (path, wait, timeout, format) = ("/api/v1/machines/\(machine.escaped)", wait, timeout, format)
        let body = ProvisionRequest(
            cluster: cluster, release: release, disk: disk, eraseExistingData: erase, role: role,
            requireApproval: requireApproval)
        try await connection.withClient { client in
            let operation = try await client.call(.post, path + "/provision", body: body, as: OperationView.self)
            guard wait else {
                if format.isTable { return Output.print("\(operation.id) \(operation.state.rawValue)") }
                return try format.write(operation)
            }
            let machine = try await client.call(.get, path, as: MachineView.self)
            let report = try await Waiting.follow(
                [.init(id: machine.id, name: machine.name)], client: client, timeout: timeout.duration,
                painter: format.noticePainter, until: Waiting.operations([machine.id: operation.id]))
            try report.finish(after: timeout)
            let node = try await client.call(.get, path, as: MachineView.self)
            if format.isTable {
                Output.print("\(node.name) is node \(node.node ?? "-")")
            } else {
                try format.write(node)
            }
        }
    }
}
