import Inventory
import Machines

/// `GET /api/v1/profiles`: one of the list.
public struct ProfileView: Codable, Sendable {
    public var name: String
    public var priority: Int
    /// What it demands, in words.
    public var match: String
    /// How many machines have it.
    public var machines: Int
    public var gives: ProfileGifts
    /// What was applied; nil: it is a file of the daemon's own.
    public var text: String?
    /// The set of files that it was applied from.
    public var appliedBy: String?

    public init(_ profile: HardwareProfile, machines: Int, applied: AppliedProfile? = nil) {
        (name, priority, match, self.machines) = (profile.name, profile.priority, profile.match.words, machines)
        gives = ProfileGifts(profile)
        (text, appliedBy) = (applied?.text, applied?.appliedBy)
    }
}

/// What follows from a hardware profile for its machines.
public struct ProfileGifts: Codable, Equatable, Sendable {
    public var rootDisk: RootDiskHint
    /// As the kernel's `console=` has them.
    public var consoles: [String]
    public var kernelArguments: [String]
    public var kexec: Bool
    public var readBack: ReadBack
    public var bootOrder: BootOrder
    public var bootProgram: String?
    public var proxyForm: ProxyForm?
    public var localDisk: [LocalDiskMethod]
    public var wipe: WipePolicy?
    public var bmcQuirks: [BMCQuirk]
    public var powerSettleSeconds: Int64?
    public var labels: [String: String]
    /// Absent: any.
    public var allowedReleases: [String]?

    public init(_ profile: HardwareProfile) {
        rootDisk = profile.rootDisk
        (consoles, kernelArguments) = (profile.consoles.map(\.description), profile.kernelArguments.map(\.description))
        (kexec, readBack, bootOrder) = (profile.kexec, profile.readBack, profile.bootOrder)
        (bootProgram, proxyForm, localDisk) = (profile.boot.program, profile.boot.proxyForm, profile.boot.localDisk)
        (wipe, bmcQuirks, labels) = (profile.wipe, profile.bmc.quirks, profile.labels)
        powerSettleSeconds = profile.bmc.powerSettle?.components.seconds
        allowedReleases = profile.allowedReleases?.map(\.text)
    }
}

/// `PUT /api/v1/profiles/{name}` → 200 ``ProfileChangeView``. `DELETE` takes it away.
public struct ProfileRequest: Codable, Sendable {
    /// As a file of `hardware-profiles` has it; at most 64 KiB.
    public var text: String
    /// The set of files that it comes from.
    public var appliedBy: String?

    public init(text: String, appliedBy: String? = nil) { (self.text, self.appliedBy) = (text, appliedBy) }
}

public struct ProfileChangeView: Codable, Sendable {
    /// Machines that have another profile now, or other labels by it.
    public var machinesChanged: Int

    public init(machinesChanged: Int) { self.machinesChanged = machinesChanged }
}

/// `POST /api/v1/profiles/try` → 200 ``ProfileTrialView``. At most 100 profiles of 64 KiB.
public struct ProfileTrialRequest: Codable, Sendable {
    public struct File: Codable, Sendable {
        /// Of the profile: the file's name without `.yaml`. One that is there already is replaced.
        public var name: String
        public var text: String

        public init(name: String, text: String) { (self.name, self.text) = (name, text) }
    }

    public var profiles: [File]
    /// Names of profiles to do without.
    public var remove: [String]?

    public init(profiles: [File], remove: [String]? = nil) { (self.profiles, self.remove) = (profiles, remove) }
}

/// Which machines would have another profile.
public struct ProfileTrialView: Codable, Sendable {
    public struct Line: Codable, Sendable {
        public var machine: String
        public var name: String
        public var change: ProfileTrial.Change

        public init(machine: String, name: String, change: ProfileTrial.Change) {
            (self.machine, self.name, self.change) = (machine, name, change)
        }
    }

    public var changes: [Line] = []
    /// Machines that keep their profile, or have none as before.
    public var same = 0
    /// Machines whose profile is one of those tried, by name: what it gives them may be other.
    public var replaced = 0
    /// Machines that have not reported their hardware.
    public var unread = 0

    public init() {}
}

/// `GET /api/v1/machines/{id}/profile`
public struct MachineProfileView: Codable, Sendable {
    /// The machine's profile, that there is none, or which ones fit equally well.
    public var outcome: String
    /// The chosen one first, then those that fit, then the nearest misses.
    public var profiles: [ProfileExplanation]

    public init(outcome: String, profiles: [ProfileExplanation]) {
        (self.outcome, self.profiles) = (outcome, profiles)
    }
}
