import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Members of clusters.", subcommands: [NodeListCommand.self])
}

struct NodeListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All nodes.")
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.withClient { client in
            try await client.call(.get, "/api/v1/nodes", as: ListView<NodeView>.self)
        }
        guard format.format == .table else { return try Output.json(list.items) }
        let rows = list.items.map { node in
            [
                node.name, node.cluster, node.ready ? "Ready" : "NotReady", node.osRelease,
                "\(Output.age(node.lastHeartbeat)) ago", "\(node.boots)", node.addresses.joined(separator: ","),
                node.machine,
            ]
        }
        Output.print(
            Output.table(["NAME", "CLUSTER", "STATUS", "RELEASE", "HEARTBEAT", "BOOTS", "ADDRESS", "MACHINE"], rows))
    }
}

struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "What machines become nodes of.",
        subcommands: [ClusterListCommand.self, ClusterAddCommand.self])
}

struct ClusterListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "All clusters.")
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let list = try await connection.withClient { client in
            try await client.call(.get, "/api/v1/clusters", as: ListView<ClusterView>.self)
        }
        guard format.format == .table else { return try Output.json(list.items) }
        let rows = list.items.map {
            [$0.name, $0.kind.rawValue, "\($0.readyNodes)/\($0.nodes)", Output.age($0.createdAt)]
        }
        Output.print(Output.table(["NAME", "KIND", "READY", "AGE"], rows))
    }
}

struct ClusterAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Add a cluster.")
    @Argument(help: "Its name.") var name: String
    @Option(help: "standalone: the daemon keeps the registry of nodes.") var kind: String = "standalone"
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        guard let flavor = Cluster.Flavor(rawValue: kind) else {
            throw ValidationError(
                "\(kind) is not one of \(Cluster.Flavor.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        let request = ClusterRequest(name: name, kind: flavor)
        let view = try await connection.withClient { client in
            try await client.call(.post, "/api/v1/clusters", body: request, as: ClusterView.self)
        }
        if format.format == .json { try Output.json(view) } else { Output.print("\(view.name) added") }
    }
}
