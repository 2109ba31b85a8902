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
