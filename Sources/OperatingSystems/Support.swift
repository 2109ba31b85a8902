import Machines

/// Whether a system is one to begin with.
public enum SupportStatus: Equatable, Sendable {
    case supported
    /// Its makers ended it; what they made since, or what comes nearest.
    case ended(successor: String)
    /// It cannot be installed on a machine, why, and what comes nearest.
    case impossible(reason: String)

    public var words: String {
        switch self {
        case .supported: "supported"
        case .ended(let successor): "end of life; \(successor)"
        case .impossible(let reason): "not for machines: \(reason)"
        }
    }
}

/// How much of a driver's route has been seen at work.
public enum Evidence: String, Sendable, Codable {
    /// Installed, started and joined, by the tests.
    case installed
    /// The whole way up to the installer's first request for its configuration, or to the files on its image's partitions, by the tests; with files
    /// that are tiny and of the right names.
    case bootPath = "boot path"
    /// What it would be told is compared byte for byte, and read by validators where there are any.
    case rendered
}

/// How a driver's route goes on where the agent ends.
public enum RouteEntry: Sendable, CaseIterable {
    /// The agent enters the kernel of the system's own installer by kexec.
    case installer
    /// The agent enters the installed kernel by kexec, where the hardware profile does not forbid that.
    case kexec
    /// The agent enters the image's own kernel by kexec once, with its configuration; later starts are the firmware's.
    case firstKexec
    /// Through firmware.
    case reboot

    public init(_ rendering: Rendering) {
        self =
            switch rendering {
            case .installer: .installer
            case .imageStartedBy: .firstKexec
            case .image(_, .reboot): .reboot
            case .image: .kexec
            }
    }

    public var words: String {
        switch self {
        case .installer: "its installer, by kexec"
        case .kexec: "the installed kernel, by kexec; through firmware where that is forbidden"
        case .firstKexec: "the image's own kernel, by kexec once; then through firmware"
        case .reboot: "through firmware"
        }
    }
}

extension OperatingSystem {
    public func entry(_ route: InstallRoute) -> RouteEntry { route == .installer ? .installer : .reboot }
    public var support: SupportStatus { .supported }
    public func evidence(_ route: InstallRoute) -> Evidence { .bootPath }
    public func remarks(_ route: InstallRoute) -> [String] { [] }
    public func takesPatches(_ route: InstallRoute) -> Bool { false }
}
