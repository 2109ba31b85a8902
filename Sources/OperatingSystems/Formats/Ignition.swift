import ConfigDocuments
import FoundationEssentials
import Machines

/// A config for Ignition, specification 3.3.0: what Fedora CoreOS, Flatcar and MicroOS read at their first start.
/// https://coreos.github.io/ignition/configuration-v3_3/
struct Ignition {
    var files: [NodeSetup.File] = []
    var units: [NodeSetup.Unit] = []
    /// Who gets the administrators' keys.
    var user = "core"
    var sshKeys: [String] = []
    /// Ignition configs of people, in their order: each wins over what is before it.
    var merged: [String] = []

    /// A node of the input's cluster.
    init(_ input: InstallationInput, network management: NodeSetup.NetworkManagement) throws(ConfigurationError) {
        var setup = try NodeSetup(input)
        setup.files.append(.init(path: "/etc/hostname", mode: 0o644, content: input.machine.hostname + "\n"))
        setup.add(input.machine.network, for: management)
        (files, units, sshKeys) = (setup.files, setup.units, input.access.sshKeys)
        merged = try input.patches.map(Self.config)
    }

    /// A system that does one thing and is not kept.
    init(files: [NodeSetup.File], units: [NodeSetup.Unit]) { (self.files, self.units) = (files, units) }

    /// A person's config, as YAML or JSON. Ignition reads JSON only.
    private static func config(_ patch: String) throws(ConfigurationError) -> String {
        let documents: [ConfigValue]
        do {
            documents = try ConfigValue.documents(yaml: patch)
        } catch {
            throw ConfigurationError(field: "patch", reason: "\(error)")
        }
        guard documents.count == 1, let config = documents.first, config["ignition"]?["version"] != nil else {
            throw ConfigurationError(
                field: "patch", reason: "it is no Ignition config: `ignition: {version: 3.3.0}` and what it is to add")
        }
        return config.json
    }

    var document: ConfigValue {
        let merge = merged.map { config -> ConfigValue in ["source": .text(Self.source(of: config))] }
        let users: ConfigValue = [["name": .text(user), "sshAuthorizedKeys": .texts(sshKeys)]]
        return .present([
            (
                "ignition",
                .present([("version", "3.3.0"), ("config", merge.isEmpty ? nil : ["merge": .list(merge)])])
            ),
            ("passwd", sshKeys.isEmpty ? nil : ["users": users]),
            (
                "storage",
                files.isEmpty
                    ? nil
                    : [
                        "files": .list(
                            files.map { file in
                                [
                                    "path": .text(file.path), "mode": .integer(file.mode), "overwrite": true,
                                    "contents": ["source": .text(Self.source(of: file.content))],
                                ]
                            })
                    ]
            ),
            (
                "systemd",
                units.isEmpty
                    ? nil
                    : [
                        "units": .list(
                            units.map { unit in
                                .present([
                                    ("name", .text(unit.name)),
                                    ("enabled", unit.content.contains("[Install]") ? true : nil),
                                    ("contents", .text(unit.content)),
                                ])
                            })
                    ]
            ),
        ])
    }

    /// RFC 2397. In base64, so that nothing in it means anything.
    static func source(of text: String) -> String { "data:;base64," + Data(text.utf8).base64EncodedString() }
}
