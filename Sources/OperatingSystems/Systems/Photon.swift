import ConfigDocuments
import Inventory
import Machines
import NetworkAddresses

/// Photon OS 5: its installer's initramfs is its whole root, and has the kickstart beside the program.
/// `vmware/photon-os-installer: photon_installer/{isoInstaller,installer}.py`; only keys that all revisions from 2.1 on know.
/// Parameters: `repository` (URL of the packages; required), `packages` (more of them, by blanks). Patches change the kickstart, as JSON or YAML.
public struct Photon: OperatingSystem {
    public init() {}

    public var name: String { "photon" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        [
            "its packages come from the repository without a check of their signatures: choose one by https",
            "its installer ends in a shell on the console where it fails: the phase's deadline tells",
        ]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        guard input.access.sshKeys.isEmpty else {
            throw ConfigurationError(
                field: "cluster.sshKeys",
                reason:
                    "the revisions of Photon's installer take keys in different ways; let the cluster's setup write them"
            )
        }
        var setup = try NodeSetup(input)
        setup.add(input.machine.network, for: .systemd)
        let files = setup.allFiles
        let overlay =
            [
                OverlayFile(path: "installer/slipway.json", content: try kickstart(input, setup).json),
                OverlayFile(path: "\(Self.folder)/ca.pem", content: input.callback.certificateAuthority),
            ]
            + files.enumerated().map { OverlayFile(path: "\(Self.folder)/file-\($0)", content: $1.content) }
        // With two consoles its program starts on neither.
        let consoles = input.machine.kernelArguments.filter { $0.key == "console" }
        let others = input.machine.kernelArguments.filter { $0.key != "console" }
        let repository = try Kickstart.word(try repository(input), of: "repository")
        let arguments = try KernelArgument.all([
            ("root", "/dev/ram0"), ("loglevel", "3"), ("ks", "slipway.json"), ("repos", repository),
            ("repo", repository),
        ])
        return InstallerBoot(overlay: overlay, arguments: arguments + others + consoles.suffix(1))
    }

    private static let folder = "installer/slipway"

    private func repository(_ input: InstallationInput) throws(ConfigurationError) -> String {
        guard let url = input.release.parameters["repository"], !url.isEmpty else {
            throw ConfigurationError(
                field: "repository", reason: "Photon is installed from a repository, and the release names none")
        }
        return url
    }

    private func kickstart(_ input: InstallationInput, _ setup: NodeSetup) throws(ConfigurationError) -> ConfigValue {
        let machine = input.machine
        func report(_ news: InstallationNews, _ authority: String) -> String {
            InstallerScripts.report(news, input.callback, authority: authority) + " || true"
        }
        let files = setup.allFiles
        let boot = machine.bootMAC.map { ["macaddress": .text($0.description)] as ConfigValue } ?? ["name": "e*"]
        let packages = ["openssh-server", "curl", "efibootmgr"] + input.release.words("packages")
        // What its first network was set up with goes where the machine has one of its own.
        let own = machine.network == nil ? [] : ["rm -f /etc/systemd/network/50-slipway*.network"]
        let document: ConfigValue = [
            "hostname": .text(machine.hostname), "bootmode": machine.isUEFI ? "efi" : "bios", "linux_flavor": "linux",
            "packagelist_file": "packages_minimal.json", "additional_packages": .texts(packages),
            "password": ["crypted": true, "text": "*"], "ui": false,
            "network": [
                "version": "2", "hostname": .text(machine.hostname),
                "ethernets": ["slipway": ["match": boot, "dhcp4": true]],
            ],
            "search_path": .texts(["/\(Self.folder)"]),
            "additional_files": .list(
                files.enumerated().map { index, file in .mapping(ConfigMapping([("file-\(index)", .text(file.path))])) }
            ),
            "preinstall": .texts(
                ["#!/bin/sh"] + Self.lines(InstallerScripts.findDisk(machine)) + [
                    "export SLIPWAY_DISK=\"$disk\"", report(.started, "/\(Self.folder)/ca.pem"),
                ]),
            "postinstall": .texts(
                ["#!/bin/sh"] + files.map { "chmod 0\(String($0.mode, radix: 8)) \(ShellText.quoted($0.path))" } + own
                    + ["systemctl enable \(setup.services)"] + Self.lines(InstallerScripts.bootOrder)
                    + [report(.installed, "\(NodeSetup.usualFolder)/ca.pem")]),
        ]
        var patched = try ConfigPatch.apply(input.patches, to: document)
        // A variable of the script above: where the disk is not there it has none, and nothing is touched.
        patched["disk"] = "$SLIPWAY_DISK"
        return patched
    }

    private static func lines(_ script: String) -> [String] { script.split(separator: "\n").map(String.init) }
}
