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
    @Flag(name: .shortAndLong, help: "Go on as things happen.") var watch = false
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let (watch, format) = (watch, format)
        try await connection.withClient { client in
            guard !watch else {
                let table = WatchedTable<NodeView>(format: format, id: { $0.name }, table: { Self.table($0) })
                return try await table.run("/api/v1/nodes?watch=true", client)
            }
            let nodes = try await client.list("/api/v1/nodes", as: NodeView.self)
            if format.isTable { format.show(Self.table(nodes)) } else { try format.write(nodes) }
        }
    }

    static func table(_ nodes: [NodeView], now: Date = Date()) -> TextTable {
        let rows = nodes.map { node in
            [
                node.name, node.cluster, node.ready ? "Ready" : "NotReady", node.osRelease,
                "\(Output.age(node.lastHeartbeat, now: now)) ago", "\(node.boots)",
                node.addresses.joined(separator: ","),
                node.machine, node.kernel,
            ]
        }
        var columns = ["NAME", "CLUSTER", "STATUS", "RELEASE", "HEARTBEAT", "BOOTS", "ADDRESS", "MACHINE"].map {
            TextTable.Column(title: $0)
        }
        columns[2].tone = { $0 == "Ready" ? .good : .bad }
        return TextTable(columns + [.init(title: "KERNEL", isWide: true)], rows)
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
        guard format.isTable else { return try format.write(list.items) }
        let rows = list.items.map {
            [$0.name, $0.kind.rawValue, "\($0.readyNodes)/\($0.nodes)", Output.age($0.createdAt)]
        }
        format.show(TextTable(["NAME", "KIND", "READY", "AGE"], rows))
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
        if !format.isTable { try format.write(view) } else { Output.print("\(view.name) added") }
    }
}
