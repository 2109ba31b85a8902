/// What a profile says of how its machines boot; what it leaves open is found out by trying.
public struct BootPreferences: Equatable, Sendable {
    /// A file among the boot files that firmware is given first, in place of the standard one.
    public var program: String?
    public var proxyForm: ProxyForm?
    /// Ways to the local disk in the order in which they are tried; empty: what was measured to be good.
    public var localDisk: [LocalDiskMethod]

    public init(program: String? = nil, proxyForm: ProxyForm? = nil, localDisk: [LocalDiskMethod] = []) {
        (self.program, self.proxyForm, self.localDisk) = (program, proxyForm, localDisk)
    }
}

/// How an offer beside another DHCP server names the boot file. Firmware differs in what it understands.
public enum ProxyForm: String, Codable, Sendable, CaseIterable {
    /// Option 43.6 = 8: the boot file is in the offer (PXE 2.1 §2.2.3). Some old EDK2 (Dell T430 and T130, edk2 issue 6944) drops it.
    case oneExchange = "one-exchange"
    /// No option 43: firmware asks on port 4011 for the boot file. Some firmware never does.
    case bootServer = "boot-server"
    /// Options 43.8, 43.9 and 43.10: a menu of one entry, chosen without waiting, and a question on 4011 (PXE 2.1 §3.6).
    case bootMenu = "boot-menu"

    /// What is tried when this one leads nowhere.
    public var other: ProxyForm { self == .oneExchange ? .bootServer : .oneExchange }
}

/// A way to hand a machine that asked the network to its own disk.
public enum LocalDiskMethod: String, Codable, Sendable, CaseIterable {
    /// The script ends well: a BIOS goes on with its next boot device. UEFI ends its boot order there.
    case exit
    /// The script ends badly: UEFI goes on with its next boot option.
    case exitFailure = "exit-1"
    /// iPXE starts the first disk itself.
    case sanboot
    /// There is no script.
    case notFound = "404"
    /// GRUB, from the network, starts the loader on the disk's EFI system partition. UEFI only.
    case grub
    /// The agent, which starts the installed system's kernel (kexec). Longer than the others, and the same on every firmware.
    case agentKexec = "agent-kexec"
    /// The BMC is told ahead of a power command of ours, and the machine does not ask the network at all. By profile only: BMCs differ in
    /// whether they keep their word.
    case bmc
}
