import FoundationEssentials
import Machines
import NetworkAddresses

/// The Slipway Reference OS: an immutable A/B image built by this project (deploy/reference-os).
public struct ReferenceOS: OperatingSystem {
    public init() {}

    public var name: String { "slipway-reference" }
    public var architectures: [String] { ["amd64"] }
    public var routes: [InstallRoute] { [.image] }

    public func evidence(_ route: InstallRoute) -> Evidence { .installed }
    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.image] }

    public func entry(_ route: InstallRoute) -> RouteEntry { .kexec }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        guard case .standalone(let join) = input.join else {
            throw ConfigurationError(field: "cluster", reason: "the reference OS joins standalone clusters only")
        }
        guard input.setup == nil, input.access.sshKeys.isEmpty else {
            throw ConfigurationError(
                field: "cluster", reason: "the reference OS has neither a shell for a setup nor a log-in for SSH keys")
        }
        return .image(
            files: try files(input, join),
            entry: .kexec(
                partition: "ESP", fileSystem: .vfat, kernel: "EFI/slipway/A/vmlinuz", initrd: "EFI/slipway/A/initrd",
                commandLineFile: "EFI/slipway/A/kexec.conf"))
    }

    /// Two files on the state partition, readable by root only: the settings, and the CA that the daemon is known by.
    private func files(
        _ input: InstallationInput, _ join: JoinMaterial.StandaloneJoin
    ) throws(ConfigurationError) -> [ConfigurationFile] {
        var settings = [
            ("HOSTNAME", input.machine.hostname), ("MACHINE_ID", input.machine.id), ("CLUSTER", input.cluster),
            ("OS_RELEASE", input.release.name), ("SERVER", join.server), ("JOIN_TOKEN", join.token),
        ]
        settings += try ReferenceOSNetwork.settings(input.machine.network)
        var text = ""
        for (key, value) in settings {
            guard value.utf8.allSatisfy(Self.isPlain) else {
                throw ConfigurationError(
                    field: key, reason: "\(value.debugDescription) has characters that a settings file cannot hold")
            }
            text += "\(key)=\(value)\n"
        }
        return [
            ConfigurationFile(
                partition: "slipway-state", fileSystem: .ext4, path: "slipway/machine.conf", mode: 0o600, content: text),
            ConfigurationFile(
                partition: "slipway-state", fileSystem: .ext4, path: "slipway/ca.pem", mode: 0o600,
                content: join.certificateAuthority),
        ]
    }

    /// What a shell reads as itself, quoted or not.
    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: "-_.:/,@+".utf8.contains(byte)
        }
    }
}
