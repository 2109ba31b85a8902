import FoundationEssentials
import Machines
import NetworkAddresses

/// The Slipway Reference OS: an immutable A/B image built by this project (deploy/reference-os).
public struct ReferenceOS: OperatingSystem {
    public static let name = "slipway-reference"

    public init() {}

    public var architectures: [String] { ["amd64"] }

    public var entry: SystemEntry {
        .kexec(
            partition: "ESP", fileSystem: .vfat, kernel: "EFI/slipway/A/vmlinuz", initrd: "EFI/slipway/A/initrd",
            commandLineFile: "EFI/slipway/A/kexec.conf")
    }

    /// Two files on the state partition, readable by root only: the settings, and the CA that the daemon is known by.
    public func configuration(for join: JoinConfiguration) throws(ConfigurationError) -> [ConfigurationFile] {
        var settings = [
            ("HOSTNAME", join.hostname), ("MACHINE_ID", join.machine), ("CLUSTER", join.cluster),
            ("OS_RELEASE", join.release), ("SERVER", join.server), ("JOIN_TOKEN", join.token),
        ]
        settings += try ReferenceOSNetwork.settings(join.network)
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
