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
    /// Further kernel arguments of the agent, such as a console.
    public var kernelArguments: [KernelArgument]
    /// Whether an installed system may be entered by kexec; some GPUs and HBAs need a restart through firmware.
    public var kexec: Bool
    public var readBack: ReadBack
    public var bootOrder: BootOrder
    public var boot: BootPreferences

    public init(
        name: String, priority: Int = 0, match: HardwareCondition = .everything,
        rootDisk: RootDiskHint = RootDiskHint(),
        kernelArguments: [KernelArgument] = [], kexec: Bool = true, readBack: ReadBack = .sampled,
        bootOrder: BootOrder = .networkFirst, boot: BootPreferences = BootPreferences()
    ) {
        (self.name, self.priority, self.match, self.rootDisk) = (name, priority, match, rootDisk)
        specificity = match.specificity
        (self.kernelArguments, self.kexec, self.readBack) = (kernelArguments, kexec, readBack)
        (self.bootOrder, self.boot) = (bootOrder, boot)
    }
}
