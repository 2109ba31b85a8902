import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineProvisionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "provision", abstract: "Install an operating system and join a cluster.")
    @Argument(help: "Id, name, MAC address or serial number.") var machine: String
    @Option(help: "Name of the cluster.") var cluster: String
    @Option(name: .customLong("os"), help: "Name of the OS release.") var release: String
    @Option(help: "Root disk: serial, WWN, or path of a disk that has neither. Default: the profile's hint.") var disk:
        String?
    @Flag(help: "Data on the root disk may be overwritten.") var erase = false
    @Flag(help: "Wait until the machine is a node, or failed.") var wait = false
    @Option(help: "Seconds to wait.") var timeout = 3600
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (reference, wait, timeout) = (machine, wait, timeout)
        let body = ProvisionRequest(cluster: cluster, release: release, disk: disk, eraseExistingData: erase)
        let isTable = format.format == .table
        try await connection.withClient { client in
            let operation = try await client.call(
                .post, "/api/v1/machines/\(reference.escaped)/provision", body: body, as: OperationView.self)
            guard wait else {
                if isTable {
                    Output.print("\(operation.id) \(operation.state.rawValue)")
                } else {
                    try Output.json(operation)
                }
                return
            }
            let machine = try await Self.follow(reference, operation: operation.id, client: client, timeout: timeout)
            if isTable {
                Output.print("\(machine.name) is node \(machine.node ?? "-")")
            } else {
                try Output.json(machine)
            }
        }
    }

    /// Shows how far the work is until it ends.
    /// - Throws: ``ExitCode`` 1 when it failed, 124 when the time ran out.
    private static func follow(
        _ reference: String, operation: String, client: APIClient, timeout: Int
    ) async throws -> MachineView {
        let line = ProgressLine()
        defer { line.finish() }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: .seconds(timeout))
        while clock.now < deadline {
            let machine: MachineView
            do {
                machine = try await client.call(.get, "/api/v1/machines/\(reference.escaped)", as: MachineView.self)
            } catch let error as ClientError {
                // A daemon that restarts goes on with the work; so does the waiting.
                line.show("\(error); still waiting")
                try await Task.sleep(for: .seconds(1))
                continue
            }
            line.show(MachineText.progress(machine))
            if let current = machine.operation, current.id == operation {
                if current.state == .succeeded { return machine }
                if current.state == .failed {
                    line.finish()
                    Output.tell(
                        "\(machine.name) failed: \(current.error ?? machine.failure ?? "no reason was recorded")")
                    throw ExitCode(1)
                }
            }
            try await Task.sleep(for: .seconds(1))
        }
        line.finish()
        Output.tell("not a node after \(timeout) s; the work goes on: slipway machine show \(reference)")
        throw ExitCode(124)
    }
}
