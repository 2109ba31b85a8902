import ConfigDocuments
import Inventory
import Machines

/// Kairos: its live system installs itself by a cloud-config. The config is in its initramfs, whose first stage hands it on.
/// `kairos-io/{immucore,kairos-agent,kairos-docs}`. Patches change the cloud-config, as YAML.
public struct Kairos: OperatingSystem {
    public init() {}

    public var name: String { "kairos" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd, .rootfs] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        [
            "its cloud-config, with what it joins with, is kept in /oem of the installed system",
            "it makes no boot entry: firmware finds it by the fallback path of its system partition",
        ]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        let config = "#cloud-config\n" + (try cloudConfig(input)).yaml
        let arguments = try KernelArgument.all(
            DracutSeed.arguments + [
                ("rd.live.overlay.overlayfs", nil), ("rd.cos.disable", nil), ("netboot", nil),
                // Of versions 4, and of those before.
                ("install-mode", nil), ("nodepair.enable", nil), ("rd.immucore.sysrootwait", "600"),
            ])
        var boot = InstallerBoot(
            overlay: [
                OverlayFile(path: Self.seed, content: config),
                OverlayFile(path: "slipway/ca.pem", content: input.callback.certificateAuthority),
            ], arguments: arguments + input.machine.bootInterface + input.machine.kernelArguments)
        boot.archived = [DracutSeed.root: .rootfs]
        return boot
    }

    /// Read by the stage `rootfs`, in the initramfs.
    private static let seed = "oem/99_slipway.yaml"
    /// On its persistent partition.
    private static let folder = "/usr/local/slipway"
    private static let authority = "/run/slipway/ca.pem"
    private static let isLive = "[ -f /run/cos/live_mode ]"

    private func cloudConfig(_ input: InstallationInput) throws(ConfigurationError) -> ConfigValue {
        let machine = input.machine
        let k3s = K3s(input)
        let setup = try NodeSetup(input, in: Self.folder, own: NodeSetup.waitForK3s)
        var network = setup
        network.files = []
        network.add(machine.network, for: .systemd)
        func report(_ news: InstallationNews) -> String {
            InstallerScripts.report(news, input.callback, authority: Self.authority)
        }
        var config: ConfigValue = .present([
            ("hostname", .text(machine.hostname)),
            (
                "users",
                input.access.sshKeys.isEmpty
                    ? nil
                    : [["name": "kairos", "groups": ["admin"], "ssh_authorized_keys": .texts(input.access.sshKeys)]]
            ),
            (k3s.name, k3s.settings),
            (
                "stages",
                [
                    "rootfs": [
                        Yip.step(
                            "slipway", if: "[ -e /\(Self.seed) ] && [ -d /slipway ]",
                            commands: [
                                "mkdir -p /run/slipway /sysroot/oem", "cp /slipway/ca.pem \(Self.authority)",
                                "cp /\(Self.seed) /sysroot/oem/",
                                // Nothing else is to be asked for a config.
                                "touch /sysroot/oem/95_userdata",
                            ])
                    ],
                    "initramfs": .list(
                        (network.files.isEmpty ? [] : [Yip.step("network", files: network.files)]) + [
                            Yip.step(
                                "node", if: "! \(Self.isLive) && [ ! -e \(Self.folder)/joined ]",
                                files: setup.allFiles, enable: setup.units.map(\.name)),
                            Yip.step("failure", if: Self.isLive, files: Self.failure(report(.failed))),
                        ]),
                    "kairos-install.pre": [Yip.step("slipway", commands: [report(.started) + " || true"])],
                    "kairos-install.after": [Yip.step("slipway", commands: [report(.installed) + " || true"])],
                ]
            ),
        ])
        config = try ConfigPatch.apply(input.patches, to: config)
        // Nobody's patch sends it to another disk.
        config["install"] = .present([
            ("auto", true), ("device", .text(machine.stableDiskPath)), ("reboot", true),
            ("nousers", input.access.sshKeys.isEmpty ? true : nil),
            (
                "grub_options",
                machine.kernelArguments.isEmpty
                    ? nil
                    : ["extra_cmdline": .text(machine.kernelArguments.map(\.description).joined(separator: " "))]
            ),
        ])
        return config
    }

    /// No stage runs where its installer failed.
    private static func failure(_ report: String) -> [NodeSetup.File] {
        [
            .init(
                path: "/etc/systemd/system/kairos-installer.service.d/slipway.conf", mode: 0o644,
                content: "[Unit]\nOnFailure=slipway-failed.service\n"),
            .init(
                path: "/etc/slipway-failed", mode: 0o700,
                content:
                    "#!/bin/sh\njournalctl --unit kairos-installer.service --lines 100 --no-pager | \(report) --data-binary @-\n"
            ),
            .init(
                path: "/etc/systemd/system/slipway-failed.service", mode: 0o644,
                content: "[Service]\nType=oneshot\nExecStart=/bin/sh /etc/slipway-failed\n"),
        ]
    }

    /// Its own k3s, where that is what it joins.
    private struct K3s {
        var name = "k3s-agent"
        var settings: ConfigValue?

        init(_ input: InstallationInput) {
            guard case .k3s(let join) = input.join else { return }
            let labels = input.machine.labels.sorted { $0.key < $1.key }.map { "--node-label=\($0.key)=\($0.value)" }
            let isServer = input.machine.role == .controlPlane
            name = isServer ? "k3s" : "k3s-agent"
            settings = [
                "enabled": true,
                "args": .texts(
                    ["--node-name=\(input.machine.hostname)", "--kubelet-arg=provider-id=\(input.machine.providerID)"]
                        + labels),
                "env": ["K3S_URL": .text(join.server), "K3S_TOKEN": .text(join.token)],
            ]
        }
    }
}
