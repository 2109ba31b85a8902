/// Which machines it is for, and what follows for them.
public struct HardwareProfile: Equatable, Sendable {
    /// Unique; the file's name without `.yaml`.
    public var name: String
    /// Among matching profiles the highest wins, then the one with more conditions.
    public var priority: Int
    public var match: Match
    public var rootDisk: RootDiskHint
    /// Further kernel arguments of the agent, such as a console.
    public var kernelArguments: [KernelArgument]
    /// Whether an installed system may be entered by kexec; some GPUs and HBAs need a restart through firmware.
    public var kexec: Bool
    public var readBack: ReadBack
    public var bootOrder: BootOrder
    public var boot: BootPreferences

    public init(
        name: String, priority: Int = 0, match: Match = Match(), rootDisk: RootDiskHint = RootDiskHint(),
        kernelArguments: [KernelArgument] = [], kexec: Bool = true, readBack: ReadBack = .sampled,
        bootOrder: BootOrder = .networkFirst, boot: BootPreferences = BootPreferences()
    ) {
        (self.name, self.priority, self.match, self.rootDisk) = (name, priority, match, rootDisk)
        (self.kernelArguments, self.kexec, self.readBack) = (kernelArguments, kexec, readBack)
        (self.bootOrder, self.boot) = (bootOrder, boot)
    }

    /// Conditions, all of which must hold; none matches every machine.
    public struct Match: Codable, Equatable, Sendable {
        /// `amd64` or `arm64`.
        public var architecture: String?
        /// SMBIOS system manufacturer, compared without regard to case.
        public var manufacturer: String?
        /// SMBIOS system product name, compared without regard to case.
        public var product: String?

        public init(architecture: String? = nil, manufacturer: String? = nil, product: String? = nil) {
            (self.architecture, self.manufacturer, self.product) = (architecture, manufacturer, product)
        }
    }
}
