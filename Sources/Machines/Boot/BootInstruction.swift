import Inventory

/// What one client is to be told, all of it decided from memory.
public struct BootInstruction: Equatable, Sendable {
    public var action: BootAction
    /// For firmware; iPXE and GRUB get a script whatever it is.
    public var program: BootProgram
    /// For offers beside another DHCP server.
    public var proxyForm: ProxyForm

    public init(_ action: BootAction, program: BootProgram = .standard, proxyForm: ProxyForm = .oneExchange) {
        (self.action, self.program, self.proxyForm) = (action, program, proxyForm)
    }
}

/// The first program that firmware fetches.
public enum BootProgram: Codable, Equatable, Sendable {
    /// iPXE, or what the configuration names for the architecture.
    case standard
    /// shim, which starts GRUB: both signed, for firmware in Secure Boot mode.
    case signed
    /// GRUB alone, which starts the loader of a disk faster than iPXE hands the machine back.
    case grub
    /// A hardware profile's own, by its name among the boot files.
    case file(String)
}
