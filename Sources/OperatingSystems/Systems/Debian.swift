import Inventory
import Machines
import NetworkAddresses

/// Debian, by its own installer with a preseed, or by a cloud image with cloud-init.
/// Parameters of images: those of ``CloudImage``; of the installer: `mirror` (`deb.debian.org`), `mirror_directory` (`/debian`), `proxy`, `packages` (more of them, by blanks).
public struct Debian: OperatingSystem {
    public init() {}

    public var name: String { "debian" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.image, .installer] }

    public func evidence(_ route: InstallRoute) -> Evidence { route == .image ? .installed : .bootPath }
    public func takesPatches(_ route: InstallRoute) -> Bool { route == .image }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] {
        route == .image ? [.image] : [.kernel, .initrd]
    }

    public func entry(_ route: InstallRoute) -> RouteEntry { route == .installer ? .installer : .kexec }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        switch route {
        case .image:
            // Debian keeps links to its newest kernel at the root.
            .image(
                files: try CloudImage.seed(input),
                entry: .kexecRoot(
                    partition: try CloudImage.rootPartition(input), fileSystem: try CloudImage.rootFileSystem(input),
                    kernel: "vmlinuz", initrd: "initrd.img", arguments: CloudImage.arguments(input.machine)))
        case .installer: .installer(try installer(input))
        }
    }

    /// The installer is entered with its answers and with what it is to leave on the disk.
    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        var preseed = Preseed()
        try preseed.answerUnattended()
        let dns = input.machine.network?.dns
        try preseed.answer(
            hostname: input.machine.hostname, domain: dns?.search.first ?? "",
            nameServers: (dns?.servers ?? []).map(\.description).joined(separator: " "))
        try preseed.answer(
            mirror: input.release.parameters["mirror"] ?? "deb.debian.org",
            directory: input.release.parameters["mirror_directory"] ?? "/debian",
            proxy: input.release.parameters["proxy"] ?? "")
        try preseed.answerPartitions()
        try preseed.answerBootLoader()
        try preseed.answer("tasksel/first", "multiselect", "", owner: "tasksel")
        let packages =
            ["openssh-server", "curl", "ca-certificates", "systemd-resolved", "systemd-timesyncd"]
            + input.release.words("packages")
        try preseed.answer("pkgsel/include", "string", packages.joined(separator: " "))
        try preseed.answer("partman/early_command", "string", "sh /slipway/disk")
        try preseed.answer("preseed/late_command", "string", "sh /slipway/late")

        var setup = try NodeSetup(input)
        setup.add(input.machine.network, for: .systemd)
        setup.add(input.access)
        if input.machine.network != nil {
            // What the installer wrote of the port that it used itself.
            setup.files.append(
                .init(path: "/etc/network/interfaces", mode: 0o644, content: "auto lo\niface lo inet loopback\n"))
        }
        // The initramfs is the installer's root: what is unpacked there is there until the end.
        let overlay =
            [
                OverlayFile(path: "preseed.cfg", content: preseed.text),
                OverlayFile(path: "slipway/disk", mode: 0o700, content: Self.disk(input.machine)),
                OverlayFile(path: "slipway/late", mode: 0o700, content: Self.late(setup, input)),
            ]
            + setup.allFiles.map { OverlayFile(path: "slipway/target\($0.path)", mode: $0.mode, content: $0.content) }
        return InstallerBoot(
            overlay: overlay, arguments: Self.arguments(input.machine), keptArguments: input.machine.kernelArguments)
    }

    private static func arguments(_ machine: TargetMachine) -> [KernelArgument] {
        [KernelArgument(made: "auto", "true"), KernelArgument(made: "priority", "critical")] + machine.bootInterface
    }

    /// partman and GRUB take the kernel's name of the disk, which changes from start to start.
    private static func disk(_ machine: TargetMachine) -> String {
        InstallerScripts.findDisk(machine) + """
            debconf-set partman-auto/disk "$disk"
            debconf-set grub-installer/bootdev "$disk"

            """
    }

    /// What is left on the disk before the machine restarts from it.
    private static func late(_ setup: NodeSetup, _ input: InstallationInput) -> String {
        let own = input.machine.network == nil ? [] : ["systemd-networkd.service", "systemd-resolved.service"]
        let services = (own + [setup.services]).joined(separator: " ")
        return """
            cp -a /slipway/target/. /target/
            in-target systemctl enable \(services) || exit 1
            mount --bind /sys/firmware/efi/efivars /target/sys/firmware/efi/efivars 2>/dev/null
            cat >/target/etc/slipway/boot-order <<'END'
            \(InstallerScripts.bootOrder)END
            in-target sh /etc/slipway/boot-order
            rm -f /target/etc/slipway/boot-order
            in-target \(InstallerScripts.report(.installed, input.callback, authority: "\(NodeSetup.usualFolder)/ca.pem")) || true

            """
    }
}
