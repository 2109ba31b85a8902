import ConfigDocuments
import Inventory
import Machines

/// Flatcar Container Linux. Its image reads an Ignition config from its OEM partition; its PXE image is told by one to install itself.
public struct Flatcar: OperatingSystem {
    public init() {}

    public var name: String { "flatcar" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd, .image] }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        .installer(try installer(input))
    }

    /// The PXE image in memory: a config of its own runs `flatcar-install`.
    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        let target = try Ignition(input, network: .systemd).document.json
        let authority = "/opt/slipway/ca.pem"
        func report(_ news: InstallationNews) -> String {
            InstallerScripts.report(news, input.callback, authority: authority)
        }
        let image = try input.release.url(.image)
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
            overlay: [OverlayFile(path: "usr/share/oem/config.ign", content: live.document.json)],
            arguments: [KernelArgument(made: "flatcar.first_boot", "1")] + input.machine.kernelArguments)
    }

    /// `flatcar-install` verifies signatures of what it downloads itself; a file it takes as it is, and the library has verified it.
    private static func install(_ image: String, _ input: InstallationInput) -> String {
        "curl --silent --show-error --fail --output /opt/slipway/image \(ShellText.quoted(image)) && "
            + "flatcar-install -d \(ShellText.quoted(input.machine.stableDiskPath)) -f /opt/slipway/image -i /opt/slipway/target.ign"
    }
}
