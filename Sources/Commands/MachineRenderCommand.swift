import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct MachineRenderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render", abstract: "Everything that an installation would give a machine. Nothing is done.",
        discussion: """
            What is made anew for each attempt is JOIN-TOKEN and TICKET; what is sealed is REDACTED, unless --secrets is said by an administrator, \
            which is written into the events.
            """)
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(name: .customLong("os"), help: "Name of another OS release.", completion: .release) var release: String?
    @Option(help: "Name of another cluster.", completion: .cluster) var cluster: String?
    @Option(help: "worker or control-plane.") var role: Machine.NodeRole?
    @Option(help: "Root disk: serial, WWN, or path of a disk that has neither.") var rootDisk: String?
    @Flag(help: "Show what is sealed.") var secrets = false
    @Flag(help: "Only what is another than what the machine was installed with. Status 1 when there is something.")
    var diff = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard !diff || !secrets else { throw ValidationError("--diff compares without secrets") }
    }

    func run() async throws {
        let asked = [("release", release), ("cluster", cluster), ("role", role?.rawValue), ("disk", rootDisk)]
        var query = asked.compactMap { name, value in value.map { "\(name)=\($0.escaped)" } }
        if secrets { query.append("secrets=true") }
        let path = "/api/v1/machines/\(machine.escaped)/rendering?"
        let (wanted, diff, format) = (path + query.joined(separator: "&"), diff, format)
        try await connection.withClient { client in
            let view = try await client.call(.get, wanted, as: RenderingView.self)
            guard diff else {
                if format.isTable {
                    RenderingText.lines(view).forEach { Output.print($0) }
                } else {
                    try format.write(view)
                }
                return
            }
            let installed = try await client.call(.get, path + "installed=true", as: RenderingView.self)
            let lines = RenderingText.difference(from: installed, to: view)
            for line in lines { Output.print(Output.fitCell(line)) }
            if !lines.isEmpty { throw ExitStatus.failed.code }
        }
    }
}

struct MachineRollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Reprovision machines with the last release and configuration that they were nodes with.",
        discussion: """
            Cluster, release, role, root disk, host name, network and patch are again what they were; of the cluster's own settings those of now are \
            taken. slipway machine history tells what there is to go back to.
            """)
    @OptionGroup var bulk: BulkOptions
    @OptionGroup var wipe: WipeOptions
    @Flag(inversion: .prefixedNo, help: "A node leaves its cluster first.") var drain = true
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let request = ReprovisionRequest(
            wipe: wipe.body, drain: drain, requireApproval: bulk.requireApproval, rollback: true)
        var trial = request
        trial.dryRun = true
        try await BulkOperation(
            verb: .reprovision, headline: "", plan: ("reprovision", trial), request: request
        ).run(bulk, format, connection)
    }
}
