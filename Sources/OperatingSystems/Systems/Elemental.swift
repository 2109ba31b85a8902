import ConfigDocuments
import Inventory
import Machines

/// Rancher's Elemental: its live system registers with the operator, which says what is to be installed, and Rancher makes a node of it.
/// `rancher/{elemental-operator,elemental-toolkit}`. Patches change the registration, as YAML.
public struct Elemental: OperatingSystem {
    public init() {}

    public var name: String { "elemental" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd, .rootfs] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        [
            "what its MachineRegistration says of the installation wins over what Slipway says: leave config.elemental.install.device out of it",
            "its installer does not tell of a failure: the phase's deadline does",
        ]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        guard case .rancher(let text) = input.join else {
            throw ConfigurationError(
                field: "cluster", reason: "Elemental registers with Rancher, and joins nothing else")
        }
        let arguments = try KernelArgument.all(
            // Of this toolkit, and of those before.
            DracutSeed.arguments + [("elemental.disable", nil), ("rd.cos.disable", nil)])
        let live = [
            ("livecd-cloud-config.yaml", try registration(text, input).yaml),
            ("iso-oem/99_slipway.yaml", hooks(input).yaml), ("slipway/node.yaml", try node(input).yaml),
            ("slipway/ca.pem", input.callback.certificateAuthority),
        ]
        var boot = InstallerBoot(
            overlay: DracutSeed.files(live: live),
            arguments: arguments + input.machine.bootInterface + input.machine.kernelArguments)
        boot.archived = [DracutSeed.root: .rootfs]
        return boot
    }

    private static let live = "/run/initramfs/live"

    private func registration(_ text: String, _ input: InstallationInput) throws(ConfigurationError) -> ConfigValue {
        let documents: [ConfigValue]
        do {
            documents = try ConfigValue.documents(yaml: text)
        } catch {
            throw ConfigurationError(field: "cluster.registration", reason: "\(error)")
        }
        guard documents.count == 1, let document = documents.first,
            document["elemental"]?["registration"]?["url"] != nil
        else {
            throw ConfigurationError(
                field: "cluster.registration",
                reason: "it is not what a MachineRegistration's URL answers: `elemental: {registration: {url: …}}`")
        }
        let patched = try ConfigPatch.apply(input.patches, to: document)
        return patched.merged(with: [
            "elemental": [
                "install": [
                    "device": .text(input.machine.stableDiskPath), "reboot": true, "poweroff": .null,
                    // The network stays first; an entry that the firmware refuses would end the installation.
                    "disable-boot-entry": true, "config-urls": [.text("\(Self.live)/slipway/node.yaml")],
                ]
            ]
        ])
    }

    /// Of the live system.
    private func hooks(_ input: InstallationInput) -> ConfigValue {
        func report(_ news: InstallationNews) -> String {
            InstallerScripts.report(news, input.callback, authority: "\(Self.live)/slipway/ca.pem") + " || true"
        }
        return [
            "name": "slipway",
            "stages": [
                "before-install": [Yip.step("began", commands: [report(.started)])],
                "post-install": [Yip.step("done", commands: [report(.installed)])],
            ],
        ]
    }

    /// Of the installed system, at each start.
    private func node(_ input: InstallationInput) throws(ConfigurationError) -> ConfigValue {
        let folder = "/usr/local/slipway"
        let setup = try NodeSetup(input, in: folder, own: NodeSetup.waitForK3s)
        var network = setup
        network.files = []
        network.add(input.machine.network, for: .networkManager)
        var steps = [
            Yip.step("node", if: "[ ! -e \(folder)/joined ]", files: setup.allFiles, enable: setup.units.map(\.name))
        ]
        if !network.files.isEmpty { steps.insert(Yip.step("network", files: network.files), at: 0) }
        steps[0]["hostname"] = .text(input.machine.hostname)
        let keys = input.access.sshKeys
        return [
            "name": "slipway",
            "stages": .present([
                ("initramfs", .list(steps)),
                ("network", keys.isEmpty ? nil : [["authorized_keys": ["root": .texts(keys)]]]),
            ]),
        ]
    }
}
