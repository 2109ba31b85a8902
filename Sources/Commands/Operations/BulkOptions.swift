import APIClient
import APIModel
import ArgumentParser
import Foundation
import Inventory
import Machines

/// Which machines, and what has to be said before anything is done to them.
struct BulkOptions: ParsableArguments {
    @Argument(
        help: "Which machines: names, or an expression such as 'rack=r1,unit=1-20 - r1u07'.", completion: .machine)
    var machines: [String]
    @Option(
        name: [.customShort("l"), .long], help: ArgumentHelp("Only with these labels.", valueName: "env=prod,!spare"))
    var selector: String?
    @Flag(help: "Print what would be done to each machine and disk, and do nothing.") var dryRun = false
    @Option(help: "How many machines may be meant.") var max = 10
    @Option(
        help: ArgumentHelp(
            "What would be typed: the machine's name, or the number of machines. For scripts.",
            valueName: "name|number"))
    var confirm: String?
    @Flag(help: "Nothing is begun before another person says `slipway operation approve`.") var requireApproval = false
    @Flag(help: "Wait until each is done, or failed.") var wait = false
    @Option(help: ArgumentHelp("How long to wait.", valueName: "30s|30m|2h")) var timeout = TimeSpan(seconds: 4 * 3600)

    func validate() throws {
        _ = try MachineSelection(expression: machines, labels: selector)
        guard max > 0 else { throw ValidationError("--max is at least 1") }
    }
}

/// What is erased, and how.
struct WipeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "quick: signatures only; clear: the best way that each drive has; purge: only by the drive's own purge. Default: the profile's.",
            valueName: "quick|clear|purge"))
    var policy: WipePolicy.Method?
    @Option(help: ArgumentHelp("How much is read afterwards; needs --policy.", valueName: "none|sampled|full"))
    var verify: WipePolicy.Verification?
    @Option(
        help: ArgumentHelp(
            "What follows where firmware froze a drive's erase commands; needs --policy.", valueName: "fail|clear"))
    var frozen: WipePolicy.Frozen?
    @Option(help: ArgumentHelp("Leave this disk as it is; may be given again.", valueName: "serial=…|wwn=…|serial"))
    var keepDisk: [String] = []
    @Flag(help: "Only the disk that the system is on.") var rootDiskOnly = false
    @Option(help: ArgumentHelp("Also a disk without serial and WWN; may be given again.", valueName: "/dev/…"))
    var disk: [String] = []
    @Flag(help: "Clear the TPM as well.") var tpm = false
    @Flag(help: "Leave the firmware's boot entries.") var keepBootEntries = false

    func validate() throws {
        guard policy != nil || (verify == nil && frozen == nil) else {
            throw ValidationError("--verify and --frozen go with --policy: a policy is said whole")
        }
    }

    var body: WipeBody {
        WipeBody(
            method: policy, verify: verify, frozen: frozen, scope: rootDiskOnly ? .rootDisk : nil,
            keep: keepDisk.map(Self.name), paths: disk, bootEntries: keepBootEntries ? false : nil,
            tpm: tpm ? true : nil)
    }

    private static func name(_ text: String) -> String {
        for prefix in ["serial=", "wwn="] where text.hasPrefix(prefix) { return String(text.dropFirst(prefix.count)) }
        return text
    }
}

extension WipePolicy.Method: ExpressibleByArgument {}
extension WipePolicy.Verification: ExpressibleByArgument {}
extension WipePolicy.Frozen: ExpressibleByArgument {}
extension Machine.NodeRole: ExpressibleByArgument {}
