import ConfigDocuments
import FoundationEssentials
import Inventory
import Machines

/// Ubuntu Server, by its own installer (subiquity) with an autoinstall file, or by a cloud image with cloud-init.
/// Parameters of images: those of ``CloudImage``; of the installer: `packages` (more of them, by blanks).
public struct Ubuntu: OperatingSystem {
    public init() {}

    public var name: String { "ubuntu" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.image, .installer] }
    public func evidence(_ route: InstallRoute) -> Evidence { route == .image ? .rendered : .bootPath }

    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func remarks(_ route: InstallRoute) -> [String] {
        route == .image ? [] : ["its initramfs fetches the ISO by plain HTTP, and checks nothing of it"]
    }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] {
        route == .image ? [.image] : [.kernel, .initrd, .iso]
    }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        switch route {
        // Where its kernel lies has changed from release to release: firmware finds it.
        case .image: .image(files: try CloudImage.seed(input), entry: .reboot)
        case .installer: .installer(try installer(input))
        }
    }

    /// The installer is a live system that is fetched as a whole, and looks for a NoCloud seed below its root.
    func installer(_ input: InstallationInput) throws(ConfigurationError) -> InstallerBoot {
        let userData = "#cloud-config\n" + (["autoinstall": try autoinstall(input)] as ConfigValue).yaml
        let arguments = [
            try KernelArgument.checked("ip", "dhcp"), try KernelArgument.checked("url", try input.release.url(.iso)),
            // Otherwise cloud-init fetches what url= names as well, all three gigabytes.
            try KernelArgument.checked("cloud-config-url", "/dev/null"), try KernelArgument.checked("autoinstall"),
        ]
        return InstallerBoot(
            overlay: InitramfsSeed.files([
                ("var/lib/cloud/seed/nocloud/user-data", userData),
                ("var/lib/cloud/seed/nocloud/meta-data", "instance-id: \(input.machine.id)\n"),
            ]), arguments: arguments + input.machine.bootInterface, keptArguments: input.machine.kernelArguments)
    }

    /// https://canonical-subiquity.readthedocs-hosted.com/en/latest/reference/autoinstall-reference.html
    private func autoinstall(_ input: InstallationInput) throws(ConfigurationError) -> ConfigValue {
        let seed = try CloudConfig(input)
        let authority = NodeSetup.File(
            path: "/run/slipway/ca.pem", mode: 0o600, content: input.callback.certificateAuthority)
        func report(_ news: InstallationNews) -> ConfigValue {
            .text(InstallerScripts.report(news, input.callback, authority: authority.path) + " || true")
        }
        let packages = ["curl", "efibootmgr"] + input.release.words("packages")
        return .present([
            ("version", 1), ("locale", "en_US.UTF-8"), ("keyboard", ["layout": "us"]), ("timezone", "Etc/UTC"),
            (
                "early-commands",
                [.text(Kickstart.write(authority)), .text(InstallerScripts.findDisk(input.machine)), report(.started)]
            ),
            ("network", input.machine.network.map(Netplan.render)),
            (
                "storage",
                ["swap": ["size": 0], "layout": ["name": "direct", "match": Self.match(input.machine.disk)]]
            ),
            ("ssh", ["install-server": true, "allow-pw": false, "authorized-keys": .texts(input.access.sshKeys)]),
            ("packages", .texts(packages)), ("user-data", seed.userData),
            ("late-commands", [.text(InstallerScripts.bootOrder), report(.installed)]),
            ("error-commands", [report(.failed)]),
            ("shutdown", "reboot"),
        ])
    }

    /// curtin compares with udev's ID_SERIAL, in which the drive's own number stands among other words. It reads patterns (fnmatch).
    private static func match(_ disk: Disk) -> ConfigValue {
        guard let serial = disk.serial else { return ["path": .text(disk.path)] }
        let literal = serial.map { "*?[".contains($0) ? "[\($0)]" : String($0) }.joined()
        return ["serial": .text("*\(literal)*")]
    }
}
