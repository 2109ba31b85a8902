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

extension OperatingSystem {
    public var support: SupportStatus { .supported }
    public func evidence(_ route: InstallRoute) -> Evidence { .bootPath }
    public func remarks(_ route: InstallRoute) -> [String] { [] }
    public func takesPatches(_ route: InstallRoute) -> Bool { false }
}
