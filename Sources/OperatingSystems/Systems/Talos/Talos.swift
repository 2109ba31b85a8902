import ConfigDocuments
import FoundationEssentials
import Inventory
import Machines

/// Talos Linux: it starts in memory, fetches its machine configuration by TLS, and installs itself.
/// Parameters: `installer_image` (such as `factory.talos.dev/metal-installer/SCHEMATIC:v1.13.2`; without it the base configuration's);
/// `secure_boot`: `signed` where somebody signed the release's kernel with a key that the machines' firmware has.
public struct Talos: OperatingSystem {
    public init() {}

    public var name: String { "talos" }
    public var architectures: [String] { ["amd64", "arm64"] }
    public var routes: [InstallRoute] { [.installer] }

    public func artifacts(for route: InstallRoute) -> [ArtifactRole] { [.kernel, .initrd] }
    public func remarks(_ route: InstallRoute) -> [String] {
        [
            "Secure Boot: \(Self.secureBoot)",
            "that it joined it tells at the event sink only (`talos_events_port` of slipwayd): in the open, unproved, and so does everybody who can speak from its address",
        ]
    }

    /// siderolabs/talos, internal/pkg/uki: what is signed is the whole UKI and not the kernel in it, and systemd-stub obeys no other command line than
    /// the one inside while Secure Boot is on.
    private static let secureBoot =
        "machines that have it on are refused. Nobody signed Talos' kernel, so that a locked-down agent cannot enter it; and the signed image (UKI) has its command line sealed, and cannot be told which machine it is. Turn it off for the install; or sign the kernel with a key that the firmware knows, and add it with the parameters secure_boot=signed and installer_image=…/metal-installer-secureboot/…"

    private func checkSecureBoot(_ input: InstallationInput) throws(ConfigurationError) {
        guard input.machine.isSecureBoot else { return }
        let parameters = input.release.parameters
        guard parameters["secure_boot"] == "signed" else {
            throw ConfigurationError(field: "secure boot", reason: "\(Self.secureBoot)")
        }
        // What it installs has to start as well.
        guard parameters["installer_image"]?.contains("installer-secureboot") ?? false else {
            throw ConfigurationError(
                field: "installer_image",
                reason:
                    "this machine's firmware starts signed systems only, and the release's installer leaves none: name one such as factory.talos.dev/metal-installer-secureboot/SCHEMATIC:v\(input.release.version)"
            )
        }
    }

    public func takesPatches(_ route: InstallRoute) -> Bool { true }

    public func render(_ input: InstallationInput, route: InstallRoute) throws(ConfigurationError) -> Rendering {
        guard case .talos(let join) = input.join else {
            throw ConfigurationError(field: "cluster", reason: "Talos joins clusters of Talos machines only")
        }
        let version = try TalosVersion(input.release.version)
        guard version >= TalosVersion(1, 11) else {
            throw ConfigurationError(
                field: "version",
                reason:
                    "Talos before 1.11 cannot be told a CA on its command line, and would believe anybody's configuration"
            )
        }
        try checkSecureBoot(input)
        var config = try TalosConfig(base: join.config, patches: input.patches, version: version)
        try config.give(to: input.machine, installer: input.release.parameters["installer_image"])
        if let sink = input.callback.eventSink { config.tell(sink) }
        var boot = InstallerBoot(overlay: [], arguments: try Self.arguments(input) + input.machine.kernelArguments)
        boot.served = [ServedFile(name: "config", content: config.yaml)]
        boot.end = .fetched
        boot.tellsEvents = input.callback.eventSink != nil
        return .installer(boot)
    }

    /// Whether a configuration is one, and of that role.
    /// - Throws: ``ConfigurationError``, which quotes nothing of it but its type.
    public static func check(configuration: String, of role: Machine.NodeRole) throws(ConfigurationError) {
        try TalosConfig(base: configuration, patches: [], version: TalosVersion(1, 11)).check(role)
    }

    /// The CA is no secret, and stands on the command line: with it the configuration is fetched from this daemon and from nobody else.
    private static func arguments(_ input: InstallationInput) throws(ConfigurationError) -> [KernelArgument] {
        let roots: ConfigValue = [
            "apiVersion": "v1alpha1", "kind": "TrustedRootsConfig", "name": "slipway",
            "certificates": .text(input.callback.certificateAuthority),
        ]
        let early = Data(ZstdFrame.stored(Array(roots.yaml.utf8))).base64EncodedString()
        var arguments = [
            try KernelArgument.checked("talos.platform", "metal"), try .checked("slab_nomerge"),
            try .checked("pti", "on"),
            try .checked("talos.config.early", early), try .checked("talos.config", input.callback.url(file: "config")),
        ]
        // What keeps it from its configuration is told before it has one.
        if let sink = input.callback.eventSink { arguments.append(try .checked("talos.events.sink", sink)) }
        return arguments
    }
}
