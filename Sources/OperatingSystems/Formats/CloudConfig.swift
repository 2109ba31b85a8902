import ConfigDocuments
import FoundationEssentials
import Machines

/// What cloud-init reads as a NoCloud seed: `user-data`, `meta-data` and, where the machine has one, `network-config`.
/// https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
struct CloudConfig {
    var userData: ConfigValue
    var metaData: ConfigValue
    var networkConfig: ConfigValue?

    init(_ input: InstallationInput) throws(ConfigurationError) {
        let setup = try NodeSetup(input)
        let network = input.machine.network
        userData = .present([
            ("hostname", .text(input.machine.hostname)), ("preserve_hostname", false), ("disable_root", true),
            ("ssh_pwauth", false),
            ("ssh_authorized_keys", input.access.sshKeys.isEmpty ? nil : .texts(input.access.sshKeys)),
            (
                "ntp",
                network.flatMap { $0.ntp.isEmpty ? nil : ["enabled": true, "servers": .texts($0.ntp)] }
            ),
            ("write_files", .list(setup.allFiles.map(Self.file))),
            (
                "runcmd",
                .list(
                    [["systemctl", "daemon-reload"]]
                        + setup.units.map { ["systemctl", "enable", "--now", "--no-block", .text($0.name)] })
            ),
        ])
        userData = try ConfigPatch.apply(input.patches, to: userData)
        // Another id makes cloud-init begin anew: an installation is a new instance.
        metaData = ["instance-id": .text(input.machine.id), "local-hostname": .text(input.machine.hostname)]
        networkConfig = network.map(Netplan.render)
    }

    /// Base64 carries every text, whatever YAML would make of it.
    private static func file(_ file: NodeSetup.File) -> ConfigValue {
        [
            "path": .text(file.path), "permissions": .text("0" + String(file.mode, radix: 8)), "encoding": "b64",
            "content": .text(Data(file.content.utf8).base64EncodedString()),
        ]
    }

    /// The seed's files by name.
    var seed: [(name: String, content: String)] {
        [("user-data", "#cloud-config\n" + userData.yaml), ("meta-data", metaData.yaml)]
            + (networkConfig.map { [("network-config", $0.yaml)] } ?? [])
    }
}
