import ConfigDocuments
import Inventory
import Machines

/// openSUSE MicroOS, Leap Micro and SL Micro: a raw image whose own kernel and initramfs, entered once by kexec, find an Ignition config.
/// The SelfInstall tar that its makers publish for the network holds image, kernel, initrd and boot options (`OSInside/kiwi`; `coreos/ignition:
/// internal/exec/engine.go`, user.ign).
/// Parameters: `boot_options` (the content of `….config.bootoptions`; required). Patches are Ignition configs, merged over Slipway's.
public struct MicroOS: OperatingSystem {
    public init() {}

    public var name: String { "microos" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.image] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.image, .kernel, .initrd] }
    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func entry(_ route: InstallRoute) -> RouteEntry { .firstKexec }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        var ignition = try Ignition(input, network: .networkManager)
        ignition.user = "root"
        let options = input.release.words("boot_options")
        guard !options.isEmpty else {
            throw ConfigurationError(
                field: "boot_options", reason: "\(input.release.name) does not say how its kernel finds its root")
        }
        var arguments: [KernelArgument] = []
        for option in options {
            do {
                arguments.append(try KernelArgument(parsing: option))
            } catch {
                throw ConfigurationError(field: "boot_options", reason: "\(error)")
            }
        }
        arguments.append(try .checked("ignition.platform.id", "metal"))
        return .imageStartedBy(
            InstallerBoot(
                overlay: [OverlayFile(path: "usr/lib/ignition/user.ign", content: ignition.document.json)],
                arguments: arguments + input.machine.kernelArguments))
    }
}
