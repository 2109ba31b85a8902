/// Which machines it is for, and what follows for them.
public struct HardwareProfile: Sendable {
    /// Unique; the file's name without `.yaml`.
    public var name: String
    /// Among matching profiles the highest wins, then the one that demands most.
    public var priority: Int
    public var match: HardwareCondition {
        didSet { specificity = match.specificity }
    }
    /// Of ``match``, reckoned once.
    private(set) var specificity: Int
    public var rootDisk: RootDiskHint
    /// Further kernel arguments of the agent.
    public var kernelArguments: [KernelArgument]
    /// Whether an installed system may be entered by kexec; some GPUs and HBAs need a restart through firmware.
    public var kexec: Bool
    public var readBack: ReadBack
    public var bootOrder: BootOrder
    public var boot: BootPreferences
    /// Consoles of the agent's kernel; the last one is where its own words go. Operating systems are given the same.
    public var consoles: [KernelConsole]
    /// Nil: it says nothing of it.
    public var wipe: WipePolicy?
    public var bmc: BMCPreferences
    /// How long its machines may stay in a phase.
    public var deadlines = PhaseDeadlines()
    /// Labels of the machines that have it. Keys and values are fit, by ``Label``.
    public var labels: [String: String]
    /// OS releases that may be installed, by name; nil: any.
    public var allowedReleases: [NamePattern]?

    public init(
        name: String, priority: Int = 0, match: HardwareCondition = .everything,
        rootDisk: RootDiskHint = RootDiskHint(),
        kernelArguments: [KernelArgument] = [], kexec: Bool = true, readBack: ReadBack = .sampled,
        bootOrder: BootOrder = .networkFirst, boot: BootPreferences = BootPreferences(),
        consoles: [KernelConsole] = [], wipe: WipePolicy? = nil, bmc: BMCPreferences = BMCPreferences(),
        labels: [String: String] = [:], allowedReleases: [NamePattern]? = nil
    ) {
        (self.name, self.priority, self.match, self.rootDisk) = (name, priority, match, rootDisk)
        specificity = match.specificity
        (self.kernelArguments, self.kexec, self.readBack) = (kernelArguments, kexec, readBack)
        (self.bootOrder, self.boot) = (bootOrder, boot)
        (self.consoles, self.wipe, self.bmc) = (consoles, wipe, bmc)
        (self.labels, self.allowedReleases) = (labels, allowedReleases)
    }

    /// What the agent's command line gets of it. Of consoles the kernel takes the last one for its own.
    public var agentArguments: [KernelArgument] { kernelArguments + consoles.map(\.argument) }

    /// Why an OS release may not be installed on machines that have it, in words; nil: it may.
    public func refusal(of release: String) -> String? {
        guard let allowedReleases, !allowedReleases.contains(where: { $0.matches(release) }) else { return nil }
        let allowed = allowedReleases.map(\.text).joined(separator: ", ")
        return
            "the hardware profile \(name) does not allow \(release): it allows \(allowed.isEmpty ? "no release at all" : allowed)"
    }
}
