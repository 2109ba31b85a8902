import APIModel
import FoundationEssentials
import Inventory
import Machines

/// What the agent does to its machine: the real one, or one made of files.
public protocol MachineControl: Sendable {
    /// What tells this machine from others, and the kernel's id of this boot. Needs the drivers of NICs only.
    func identity() -> (machine: MachineIdentity, bootID: String)
    /// Everything there is, once all drivers are loaded. Blocks; called on a thread of its own.
    func hardware() -> HardwareReport
    /// Grows when something came up that the hardware report should say, such as a switch's word.
    var news: Int { get }
    /// Sets the system's clock and the hardware clock.
    func setClock(_ now: Date)
    /// Installs, and makes ready to enter. Blocks; called on a thread of its own.
    /// - Returns: how the installed system will be entered, and facts for the record.
    /// - Throws: an error whose description is for a person.
    func install(
        _ order: InstallOrder, on disk: Disk, progress: @escaping InstallProgress
    ) throws -> (entry: EntryWay, facts: [String: String])
    /// Makes a system's own installer ready to enter by kexec. Blocks; called on a thread of its own.
    /// - Returns: facts for the record.
    /// - Throws: an error whose description is for a person.
    func load(
        _ installer: InstallerOrder, for disk: Disk, progress: @escaping InstallProgress
    ) throws -> [String: String]
    /// Has firmware begin its next start where it began this one: with the network. Blocks; called on a thread of its own.
    /// - Returns: facts for the record.
    /// - Throws: an error whose description is for a person.
    func startFromNetwork() throws -> [String: String]
    /// Erases each disk of the order, all of them at once, and reads what is left. Blocks; called on a thread of its own.
    func wipe(
        _ order: WipeOrder, _ disks: [Disk], progress: @escaping @Sendable ([DiskProgress]) -> Void
    ) -> WipeOutcome
    /// Makes an installed system ready to enter by kexec. Blocks; called on a thread of its own.
    /// - Throws: an error whose description is for a person.
    func load(_ system: InstalledSystem, on disk: Disk) throws
    /// Makes a user in the BMC. Blocks; called on a thread of its own.
    /// - Returns: facts for the record.
    /// - Throws: an error whose description is for a person, and holds no password.
    func setUpBMC(_ user: BMCUserOrder) throws -> [String: String]
    /// What a rescue shell is on this machine.
    var shell: ShellProgram { get }
    /// Leaves the agent. Does not return on a real machine.
    func enter(_ way: EntryWay)
    func reboot()
    func powerOff()
}

/// Hears how far the work is: what is being done, bytes of it, and bytes in all (0: nobody knows).
public typealias InstallProgress = @Sendable (OrderProgress.Step, Int64, Int64) -> Void

/// What became of a wipe.
public struct WipeOutcome: Sendable {
    /// Of each disk, in the order's order. A disk that cannot be opened is a disk that failed.
    public var disks: [DiskEvidence]
    /// Small facts for the record: `bootEntries`, `crashRecords`, `tpm`.
    public var facts: [String: String]
    /// What was asked for beside the disks and is not done, in words for a person.
    public var failures: [String]

    public init(disks: [DiskEvidence], facts: [String: String], failures: [String]) {
        (self.disks, self.facts, self.failures) = (disks, facts, failures)
    }
}

/// How the agent leaves.
public enum EntryWay: String, Sendable {
    case kexec, reboot
    /// A restart, after which the boot program is given what to start.
    case network
}
