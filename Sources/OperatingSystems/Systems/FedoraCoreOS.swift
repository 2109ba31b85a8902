import ConfigDocuments
import Inventory
import Machines

/// Fedora CoreOS. Its image reads an Ignition config from its boot partition; its live system installs itself.
public struct FedoraCoreOS: OperatingSystem {
    public init() {}

    public var name: String { "fedora-coreos" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.image, .installer] }
    public func evidence(_ route: InstallRoute) -> Evidence { route == .image ? .rendered : .bootPath }

    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] {
        route == .image ? [.image] : [.kernel, .initrd, .rootfs, .image]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        switch route {
        case .image: .image(files: try files(input), entry: .reboot)
        case .installer: .installer(try installer(input))
        }
    }

    /// The image route: `coreos-installer` puts the config at the same place.
    func files(_ input: InstallationInput) throws(ConfigurationError) -> [ConfigurationFile] {
        [
            ConfigurationFile(
                partition: "boot", fileSystem: .ext4, path: "ignition/config.ign", mode: 0o600,
                content: try Ignition(input, network: .networkManager).document.json)
        ]
    }

    /// The live system, told by its own Ignition config to write the image and to say what became of it.
    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        let target = try Ignition(input, network: .networkManager).document.json
        let image = try InstallerScripts.fetch(.image, of: input.release, to: Self.image)
        let live = Ignition(files: Self.liveFiles(target, image, input), units: Self.liveUnits(input))
        let arguments = [
            try KernelArgument.checked("ignition.firstboot"),
            try KernelArgument.checked("ignition.platform.id", "metal"),
            try KernelArgument.checked("coreos.live.rootfs_url", try input.release.url(.rootfs)),
        ]
        // `coreos-installer pxe ignition wrap` makes the same file of an initramfs.
        return InstallerBoot(
            overlay: [OverlayFile(path: "config.ign", content: live.document.json)],
            arguments: arguments + input.machine.bootInterface + input.machine.kernelArguments)
    }

    private static let authority = "/etc/slipway/ca.pem"
    private static let image = "/var/tmp/slipway-image"

    private static func liveFiles(_ target: String, _ fetch: String, _ input: InstallationInput) -> [NodeSetup.File] {
        let settings: ConfigValue = .present([
            ("dest-device", .text(input.machine.stableDiskPath)), ("ignition-file", "/etc/slipway/target.ign"),
            // The library keeps no signatures; what was fetched has been compared with its digest.
            ("image-file", .text(image)), ("insecure", true),
            (
                "append-karg",
                input.machine.kernelArguments.isEmpty ? nil : .texts(input.machine.kernelArguments.map(\.description))
            ),
        ])
        return [
            .init(path: authority, mode: 0o600, content: input.callback.certificateAuthority),
            .init(path: "/etc/slipway/target.ign", mode: 0o600, content: target),
            .init(
                path: "/etc/systemd/system/coreos-installer.service.d/slipway.conf", mode: 0o644,
                content: "[Unit]\nOnFailure=slipway-failed.service\n"),
            .init(
                path: "/etc/slipway/started", mode: 0o700,
                content: "#!/bin/sh\n" + InstallerScripts.report(.started, input.callback, authority: authority)
                    + " || true\n"),
            .init(path: "/etc/slipway/fetch", mode: 0o700, content: "#!/bin/sh\n" + fetch + "\n"),
            .init(path: "/etc/coreos/installer.d/slipway.yaml", mode: 0o600, content: settings.yaml),
            .init(
                path: "/etc/slipway/installed", mode: 0o700,
                content: "#!/bin/sh\n" + InstallerScripts.bootOrder
                    + InstallerScripts.report(.installed, input.callback, authority: authority) + " || true\n"),
            .init(
                path: "/etc/slipway/failed", mode: 0o700,
                content:
                    "#!/bin/sh\njournalctl --unit slipway-fetch.service --unit coreos-installer.service --lines 100 --no-pager | "
                    + InstallerScripts.report(.failed, input.callback, authority: authority)
                    + " --data-binary @- || true\n"),
        ]
    }

    /// The installer's own units fall into an emergency shell without a word to anybody.
    private static func liveUnits(_ input: InstallationInput) -> [NodeSetup.Unit] {
        let tells = { (name: String, script: String, rest: String) in
            NodeSetup.Unit(
                name: name,
                content: """
                    [Unit]
                    Description=Slipway: \(script)
                    \(rest)

                    [Service]
                    Type=oneshot
                    ExecStart=/bin/sh /etc/slipway/\(script)

                    """)
        }
        let order =
            "After=coreos-installer.service\nRequires=coreos-installer.service\nBefore=coreos-installer-reboot.service"
        var installed = tells("slipway-installed.service", "installed", order)
        installed.content += "[Install]\nRequiredBy=coreos-installer.target\n"
        var started = tells(
            "slipway-started.service", "started", "Wants=network-online.target\nAfter=network-online.target")
        started.content += "[Install]\nWantedBy=coreos-installer.target\n"
        var fetch = tells(
            "slipway-fetch.service", "fetch",
            "Wants=network-online.target\nAfter=network-online.target\nBefore=coreos-installer.service\nOnFailure=slipway-failed.service"
        )
        fetch.content += "[Install]\nRequiredBy=coreos-installer.service\n"
        return [started, fetch, installed, tells("slipway-failed.service", "failed", "DefaultDependencies=no")]
    }
}
