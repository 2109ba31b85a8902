import ConfigDocuments
import Inventory
import Machines

/// Flatcar Container Linux. Its image reads an Ignition config from its OEM partition; its PXE image is told by one to install itself.
public struct Flatcar: OperatingSystem {
    public init() {}

    public var name: String { "flatcar" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.image, .installer] }

    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] {
        route == .image ? [.image] : [.kernel, .initrd, .image]
    }

    public func remarks(_ route: InstallRoute) -> [String] {
        ["its config, with what it joins with, stays on the OEM partition after the first start"]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        switch route {
        // Its kernel wants the hash of /usr, which its boot loader knows: firmware starts it.
        case .image: .image(files: try files(input), entry: .reboot)
        case .installer: .installer(try installer(input))
        }
    }

    /// What `flatcar-install -i` leaves, too. The partition has been btrfs since 2955.0.0, and GRUB reads `grub.cfg` on it ahead of its own.
    func files(_ input: InstallationInput) throws(ConfigurationError) -> [ConfigurationFile] {
        func file(_ path: String, _ mode: UInt32, _ content: String) -> ConfigurationFile {
            ConfigurationFile(partition: "OEM", fileSystem: .btrfs, path: path, mode: mode, content: content)
        }
        let arguments = input.machine.kernelArguments.map(\.description).joined(separator: " ")
        return [file("config.ign", 0o600, try Ignition(input, network: .systemd).document.json)]
            + (arguments.isEmpty ? [] : [file("grub.cfg", 0o644, "set linux_append=\"$linux_append \(arguments)\"\n")])
    }

    /// The PXE image in memory: a config of its own runs `flatcar-install`.
    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        let target = try Ignition(input, network: .systemd).document.json
        let authority = "/opt/slipway/ca.pem"
        func report(_ news: InstallationNews) -> String {
            InstallerScripts.report(news, input.callback, authority: authority)
        }
        let image = try InstallerScripts.fetch(.image, of: input.release, to: "/opt/slipway/image")
        let script = """
            #!/bin/sh
            \(report(.started)) || true
            if \(Self.install(image, input)); then
            \(InstallerScripts.bootOrder)    \(report(.installed)) || true
                systemctl reboot
            else
                journalctl --unit slipway-install.service --lines 100 --no-pager | \(report(.failed)) --data-binary @- || true
            fi

            """
        let live = Ignition(
            files: [
                .init(path: authority, mode: 0o600, content: input.callback.certificateAuthority),
                .init(path: "/opt/slipway/target.ign", mode: 0o600, content: target),
                .init(path: "/opt/slipway/install", mode: 0o700, content: script),
            ],
            units: [
                .init(
                    name: "slipway-install.service",
                    content: """
                        [Unit]
                        Description=Install Flatcar on this machine
                        Wants=network-online.target
                        After=network-online.target

                        [Service]
                        Type=oneshot
                        ExecStart=/bin/sh /opt/slipway/install

                        [Install]
                        WantedBy=multi-user.target

                        """)
            ])
        return InstallerBoot(
            // Its first kernel hands /oem on to the second, and an older one /usr/share/oem.
            overlay: ["oem", "usr/share/oem"].map {
                OverlayFile(path: "\($0)/config.ign", content: live.document.json)
            },
            arguments: [KernelArgument(made: "flatcar.first_boot", "1")] + input.machine.kernelArguments)
    }

    /// `flatcar-install` verifies signatures of what it downloads itself; a file it takes as it is.
    private static func install(_ fetch: String, _ input: InstallationInput) -> String {
        fetch
            + " && flatcar-install -d \(ShellText.quoted(input.machine.stableDiskPath)) -f /opt/slipway/image -i /opt/slipway/target.ign"
    }
}
