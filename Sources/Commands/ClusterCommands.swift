import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "What machines become nodes of.",
        subcommands: [
            ClusterListCommand.self, ClusterShowCommand.self, ClusterAddCommand.self, ClusterSetCommand.self,
            ClusterRemoveCommand.self,
        ])
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
            [
                $0.name, $0.kind.rawValue, $0.kind == .standalone ? "\($0.readyNodes)/\($0.nodes)" : "-",
                $0.join?.endpoint ?? "-", Output.age($0.createdAt),
            ]
        }
        format.show(TextTable(["NAME", "KIND", "READY", "ENDPOINT", "AGE"], rows))
    }
}

struct ClusterShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "One cluster, and what its machines are told. Of secrets only which there are.")
    @Argument(help: "Its name.", completion: .cluster) var name: String
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let view = try await connection.call(.get, "/api/v1/clusters/\(name.escaped)", as: ClusterView.self)
        guard format.isTable else { return try format.write(view) }
        let join = view.join
        let secrets = join.map { $0.secrets.map(\.rawValue).joined(separator: ", ") } ?? ""
        let rows = [
            ("name", view.name), ("kind", view.kind.rawValue),
            ("nodes", view.kind == .standalone ? "\(view.readyNodes) of \(view.nodes) ready" : "not seen from here"),
            ("endpoint", join?.endpoint ?? "-"), ("version", join?.version ?? "-"),
            ("CA", join?.certificateAuthority == nil ? "-" : "there"), ("SSH keys", "\(join?.sshKeys.count ?? 0)"),
            ("secrets", secrets.isEmpty ? "-" : secrets), ("age", Output.age(view.createdAt)),
        ]
        for (field, value) in rows {
            Output.print(Output.fit(field.padding(toLength: 10, withPad: " ", startingAt: 0) + value))
        }
    }
}

/// What the machines of a cluster are told. Secrets come from files, so that they are in no list of processes.
struct ClusterSettingsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where machines join: its API server; of k3s and RKE2 one of their servers.", valueName: "https://host:port"
        ))
    var endpoint: String?
    @Option(help: ArgumentHelp("What the cluster runs.", valueName: "1.31.4")) var kubernetesVersion: String?
    @Option(help: ArgumentHelp("The cluster's own CA, in PEM.", valueName: "file"), completion: .file()) var clusterCa:
        String?
    @Option(
        help: ArgumentHelp("Who may log in: lines as authorized_keys has them.", valueName: "file"), completion: .file()
    )
    var sshKeysFile: String?
    @Option(help: ArgumentHelp("A bootstrap token, or the token of k3s.", valueName: "file"), completion: .file())
    var tokenFile: String?
    @Option(
        help: ArgumentHelp("What kubeadm init phase upload-certs printed; for control planes.", valueName: "file"),
        completion: .file())
    var certificateKeyFile: String?
    @Option(help: ArgumentHelp("Talos: worker.yaml of talosctl gen config.", valueName: "file"), completion: .file())
    var worker: String?
    @Option(
        help: ArgumentHelp("Talos: controlplane.yaml of talosctl gen config.", valueName: "file"), completion: .file())
    var controlPlane: String?
    @Option(
        help: ArgumentHelp("Rancher: what the URL of a MachineRegistration answers.", valueName: "file"),
        completion: .file())
    var registration: String?
    @Option(
        help: ArgumentHelp("Commands for sh, run once as root before a machine joins.", valueName: "file"),
        completion: .file())
    var setup: String?
    @Option(
        help: ArgumentHelp(
            "Changes of the system's own configuration, as docs/operating-systems.md has them.", valueName: "file"),
        completion: .file())
    var patch: String?

    /// `none` for a file takes away what there is.
    func settings() throws -> ClusterSettings {
        var settings = ClusterSettings(endpoint: endpoint, version: kubernetesVersion)
        settings.certificateAuthority = try clusterCa.map { $0 == "none" ? "" : try Self.text($0) }
        settings.sshKeys = try sshKeysFile.map { file in
            guard file != "none" else { return [] }
            return try Self.text(file).split(whereSeparator: \.isNewline).map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            .filter { !$0.isEmpty && !$0.hasPrefix("#") }
        }
        let files: [(ClusterSecret, String?, isWord: Bool)] = [
            (.token, tokenFile, true), (.certificateKey, certificateKeyFile, true), (.worker, worker, false),
            (.controlPlane, controlPlane, false), (.registration, registration, false), (.setup, setup, false),
            (.patch, patch, false),
        ]
        var secrets: [ClusterSecret: String?] = [:]
        for (name, file, isWord) in files {
            guard let file else { continue }
            let text = file == "none" ? nil : name == .patch ? try Self.patch(file) : try Self.text(file)
            secrets.updateValue(isWord ? text?.trimmingCharacters(in: .whitespacesAndNewlines) : text, forKey: name)
        }
        settings.secrets = secrets.isEmpty ? nil : secrets
        return settings
    }

    /// A patch, made of Butane where it is that.
    static func patch(_ file: String) throws -> String {
        let text = try text(file)
        return try ButaneFile.ignition(text, file: file) ?? text
    }

    static func text(_ file: String) throws -> String {
        do {
            return try String(contentsOf: URL(fileURLWithPath: file), encoding: .utf8)
        } catch {
            throw ValidationError("\(file) cannot be read as text: \(error.localizedDescription)")
        }
    }
}

struct ClusterAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a cluster.",
        discussion: """
            standalone: the daemon keeps the registry of nodes. kubernetes: machines join as kubeadm joins, by a bootstrap token. k3s: also RKE2. \
            talos: machines get the configuration that talosctl made. rancher: machines register with its Elemental operator.
            """)
    @Argument(help: "Its name.") var name: String
    @Option(help: ArgumentHelp("What it is.", valueName: "standalone|kubernetes|k3s|talos|rancher"))
    var kind: Cluster.Flavor = .standalone
    @OptionGroup var settings: ClusterSettingsOptions
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let settings = try settings.settings()
        let request = ClusterRequest(name: name, kind: kind, join: settings == ClusterSettings() ? nil : settings)
        let view = try await connection.call(.post, "/api/v1/clusters", body: request, as: ClusterView.self)
        if !format.isTable { try format.write(view) } else { Output.print("\(view.name) added") }
    }
}

struct ClusterSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Change what the machines of a cluster are told, from their next installation on.",
        discussion: "`none` for a file takes away what there is.")
    @Argument(help: "Its name.", completion: .cluster) var name: String
    @OptionGroup var settings: ClusterSettingsOptions
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let settings = try settings.settings()
        guard settings != ClusterSettings() else { throw ValidationError("say what is to change; see --help") }
        let view = try await connection.call(
            .patch, "/api/v1/clusters/\(name.escaped)", body: settings, as: ClusterView.self)
        if !format.isTable { try format.write(view) } else { Output.print("\(view.name) changed") }
    }
}

struct ClusterRemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a cluster that no machine is or is to be a node of.")
    @Argument(help: "Its name.", completion: .cluster) var name: String
    @OptionGroup var connection: ConnectionOptions

    func run() async throws {
        let name = name
        try await connection.withClient { client in try await client.send(.delete, "/api/v1/clusters/\(name.escaped)") }
        Output.print("\(name) removed")
    }
}

extension Cluster.Flavor: ExpressibleByArgument {}
