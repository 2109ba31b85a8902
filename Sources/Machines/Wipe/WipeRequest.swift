import Inventory

/// What of a machine's disks is to be erased, and how well. A person's word, or a claim's.
public struct WipeRequest: Codable, Equatable, Sendable {
    /// Which disks.
    public enum Scope: String, Codable, Sendable, CaseIterable {
        /// Every local disk.
        case all
        /// The disk that a system is or would be installed on; the others keep their data.
        case rootDisk = "root-disk"
    }

    /// Nil: the hardware profile's; where that says nothing, ``WipePolicy/standard``.
    public var policy: WipePolicy?
    public var scope: Scope
    /// Serial numbers or WWNs of disks that are left as they are; the path of one that has neither.
    public var keep: [String]
    /// Paths of disks that have neither serial nor WWN; only named ones are targets.
    public var paths: [String]
    public var extras: Extras

    /// What a machine remembers beside its disks.
    public struct Extras: Codable, Equatable, Sendable {
        /// Entries of installed systems in the firmware's boot order.
        public var bootEntries: Bool
        /// Crash records that a kernel left in NVRAM.
        public var crashRecords: Bool
        /// The TPM's owner hierarchy, with all keys made under it.
        public var tpm: Bool

        public init(bootEntries: Bool = true, crashRecords: Bool = true, tpm: Bool = false) {
            (self.bootEntries, self.crashRecords, self.tpm) = (bootEntries, crashRecords, tpm)
        }
    }

    public init(
        policy: WipePolicy? = nil, scope: Scope = .all, keep: [String] = [], paths: [String] = [],
        extras: Extras = Extras()
    ) {
        (self.policy, self.scope, self.keep, self.paths, self.extras) = (policy, scope, keep, paths, extras)
    }
}

extension WipePolicy {
    /// Where neither request nor profile says one: the best way that each drive has, and what was done is read back.
    public static let standard = WipePolicy(method: .clear, verify: .sampled)
}
