import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines
import ProfileFiles

struct MachineSetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract:
            "Change what people know of a machine: where it stands, its labels, and the network and configuration of its installed system."
    )
    @Argument(help: "Id, name, MAC address or serial number.", completion: .machine) var machine: String
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Such as ams1/3/r12/U4 or -/-/r12/U4-U5; - for a part that nobody knows; none takes it away.",
            valueName: "site/row/rack/unit"))
    var location: String?
    @Option(
        name: .customLong("label"),
        help: ArgumentHelp("A label; may be given again. NAME- takes one away.", valueName: "name=value"))
    var labels: [String] = []
    @Option(
        help: ArgumentHelp(
            "The network that its next installation gets, as docs/networks.md has it; none is DHCP.", valueName: "file"),
        completion: .file(extensions: ["yaml"]))
    var network: String?
    @Option(
        help: ArgumentHelp(
            "Changes of its system's own configuration, after those of its cluster; sealed. none takes them away.",
            valueName: "file"), completion: .file())
    var patch: String?
    @OptionGroup var format: FormatOption
    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard location != nil || !labels.isEmpty || network != nil || patch != nil else {
            throw ValidationError("say --location, --label, --network or --patch")
        }
        _ = try request()
    }

    func run() async throws {
        let view = try await connection.call(
            .post, "/api/v1/machines/\(machine.escaped)/set", body: try request(), as: MachineView.self)
        guard format.isTable else { return try format.write(view) }
        let labels = view.labels.sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
        let network =
            (network == nil ? "" : ", network \(view.network?.summary ?? "by DHCP")")
            + (patch == nil ? "" : ", patch \(view.hasPatch ? "kept" : "removed")")
        Output.print(
            "\(view.name): location \(view.location?.description ?? "-"), labels\(labels.isEmpty ? " -" : labels)\(network)"
        )
    }

    private func request() throws -> MachineChangeRequest {
        var request = MachineChangeRequest(clearLocation: location == "none" ? true : nil)
        if let location, location != "none" {
            guard let place = Location(location) else {
                throw ValidationError(
                    "\(location) is not site/row/rack/unit such as ams1/3/r12/U4, with - for a part that nobody knows")
            }
            if let fault = place.fault { throw ValidationError("\(fault.field): \(fault.reason)") }
            request.location = place
        }
        if network == "none" {
            request.clearNetwork = true
        } else if let network {
            do {
                request.network = try NetworkReader.read(
                    String(contentsOf: URL(fileURLWithPath: network), encoding: .utf8), file: network)
            } catch let error as ProfileFileError {
                throw ValidationError("\(error)")
            }
        }
        if let patch { request.patch = patch == "none" ? "" : try ClusterSettingsOptions.patch(patch) }
        guard !labels.isEmpty else { return request }
        var changes: [String: String?] = [:]
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2 {
                changes.updateValue(parts[1], forKey: parts[0])
            } else if label.hasSuffix("-") {
                changes.updateValue(nil, forKey: String(label.dropLast()))
            } else {
                throw ValidationError("\(label) is neither name=value nor name-")
            }
        }
        request.labels = changes
        return request
    }
}
