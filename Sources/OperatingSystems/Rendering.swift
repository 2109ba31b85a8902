import Inventory
import Machines

/// What one machine gets: made of an ``InstallationInput`` and nothing else.
public enum Rendering: Equatable, Sendable {
    /// The agent writes a disk image, puts files on it, and enters it.
    case image(files: [ConfigurationFile], entry: SystemEntry)
    /// The agent writes a disk image, and enters the image's own kernel once with these files in its initramfs. Later firmware starts it.
    case imageStartedBy(InstallerBoot)
    /// The system's own installer is entered with these files in its initramfs.
    case installer(InstallerBoot)
}

/// An installer's kernel with all that it needs to know.
public struct InstallerBoot: Equatable, Sendable {
    public var kernel: ArtifactRole
    /// In the order in which the kernel unpacks them.
    public var initrds: [ArtifactRole]
    /// Files of the release that it finds in its initramfs, by path: the agent has verified them, which is more than it would do itself.
    public var archived: [String: ArtifactRole] = [:]
    /// Unpacked after them.
    public var overlay: [OverlayFile]
    public var arguments: [KernelArgument]
    /// What it fetches by itself, by TLS: ``Callback/url(file:)``.
    public var served: [ServedFile] = []
    public var end = InstallerEnd.told
    /// It and what it installs tell of themselves at ``Callback/eventSink``.
    public var tellsEvents = false
    /// Said after a `---`, which makes Debian's and Ubuntu's installers keep them for the installed system.
    public var keptArguments: [KernelArgument]

    public init(
        kernel: ArtifactRole = .kernel, initrds: [ArtifactRole] = [.initrd], overlay: [OverlayFile],
        arguments: [KernelArgument], keptArguments: [KernelArgument] = []
    ) {
        (self.kernel, self.initrds, self.overlay) = (kernel, initrds, overlay)
        (self.arguments, self.keptArguments) = (arguments, keptArguments)
    }

    public var commandLine: String {
        (arguments.map(\.description) + (keptArguments.isEmpty ? [] : ["---"]) + keptArguments.map(\.description))
            .joined(separator: " ")
    }
}

/// How anybody knows that an installer is done.
public enum InstallerEnd: Equatable, Sendable {
    /// It says so.
    case told
    /// It fetches its configuration and says no more: from there on the machine is its disk's, and its node shows whether that went well.
    case fetched
    /// It says nothing at all: once it is entered the machine is its disk's.
    case entered
}
