import ConfigDocuments
import FoundationEssentials
import Inventory
import Machines

/// A cloud-config in stages, as Kairos, Elemental and k3OS' successors read it (`rancher/yip`).
enum Yip {
    /// In base64, so that nothing in it means anything.
    static func file(_ file: NodeSetup.File) -> ConfigValue {
        [
            "path": .text(file.path), "permissions": .plain("0" + String(file.mode, radix: 8)), "encoding": "b64",
            "content": .text(Data(file.content.utf8).base64EncodedString()),
        ]
    }

    /// The same for those who want their permissions as text, as cloud-init does.
    static func textualFile(_ file: NodeSetup.File) -> ConfigValue {
        var value = Self.file(file)
        value["permissions"] = .text("0" + String(file.mode, radix: 8))
        return value
    }

    /// One step of a stage.
    /// - Parameter condition: for `sh`; nil: always.
    static func step(
        _ name: String, if condition: String? = nil, files: [NodeSetup.File] = [], enable units: [String] = [],
        commands: [String] = []
    ) -> ConfigValue {
        .present([
            ("name", .text(name)), ("if", condition.map { .text($0) }),
            ("files", files.isEmpty ? nil : .list(files.map(file))),
            ("systemctl", units.isEmpty ? nil : ["enable": .texts(units)]),
            ("commands", commands.isEmpty ? nil : .texts(commands)),
        ])
    }
}

/// Files for a live system that dracut starts from a squashfs which the agent has put into its initramfs.
///
/// What an archive has below `/run` is hidden by systemd's own; a unit copies it there, and into the root, before the switch. A drop-in has it started,
/// since an archive of ours has no links.
enum DracutSeed {
    /// Where the squashfs is, by `root=`. The name must not end in `.squashfs` (dracut: `parse-dmsquash-live.sh`).
    static let root = "slipway/rootfs.img"

    /// - Parameters:
    ///   - live: files by their names in `/run/initramfs/live`.
    ///   - root: files by their paths in the live system, without a leading slash.
    static func files(live: [(String, String)], root: [(String, String)] = []) -> [OverlayFile] {
        live.map { OverlayFile(path: "slipway/live/\($0.0)", content: $0.1) }
            + root.map { OverlayFile(path: "slipway/sysroot/\($0.0)", content: $0.1) } + [
                OverlayFile(
                    path: "slipway/seed", mode: 0o700,
                    content: """
                        #!/bin/sh
                        mkdir -p /run/initramfs/live
                        [ ! -d /slipway/live ] || cp -a /slipway/live/. /run/initramfs/live/
                        [ ! -d /slipway/sysroot ] || cp -a /slipway/sysroot/. /sysroot/

                        """),
                OverlayFile(
                    path: "etc/systemd/system/slipway-seed.service", mode: 0o644,
                    content: """
                        [Unit]
                        Description=Hand the machine's configuration to the live system
                        DefaultDependencies=no
                        RequiresMountsFor=/sysroot
                        After=initrd-root-fs.target
                        Before=initrd-switch-root.target initrd-cleanup.service elemental-setup-initramfs.service cos-setup-initramfs.service

                        [Service]
                        Type=oneshot
                        ExecStart=/bin/sh /slipway/seed

                        """),
                OverlayFile(
                    path: "etc/systemd/system/initrd.target.d/slipway.conf", mode: 0o644,
                    content: "[Unit]\nRequires=slipway-seed.service\n"),
            ]
    }

    /// Kernel arguments of the live system.
    static var arguments: [(String, String?)] { [("root", "live:/\(root)"), ("rd.neednet", "1"), ("ip", "dhcp")] }
}

extension KernelArgument {
    /// - Throws: ``ConfigurationError``.
    static func all(_ pairs: [(String, String?)]) throws(ConfigurationError) -> [Self] {
        var arguments: [Self] = []
        for (key, value) in pairs { arguments.append(try .checked(key, value)) }
        return arguments
    }
}
