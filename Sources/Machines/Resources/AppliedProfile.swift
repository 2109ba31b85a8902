import FoundationEssentials

/// A hardware profile that people put into the daemon, beside those of its own files.
public struct AppliedProfile: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "hardware-profile"
    /// Profiles that there may be.
    public static let most = 500
    /// Bytes of one's text.
    public static let longest = 64 << 10

    /// Its name.
    public let id: String
    /// As a file of `hardware-profiles` has it.
    public var text: String
    /// The set of files that it came from; nil: none.
    public var appliedBy: String?
    public var changedAt: Date

    public init(id: String, text: String, appliedBy: String?, changedAt: Date) {
        (self.id, self.text, self.appliedBy, self.changedAt) = (id, text, appliedBy, changedAt)
    }
}
