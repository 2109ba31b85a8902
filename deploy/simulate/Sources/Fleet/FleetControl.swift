import APIModel
import AgentCore
import FoundationEssentials
import Glibc
import Inventory
import Machines
import Synchronization

/// What the agent does to a machine of the fleet: nothing but time passes, and what would be on the disk is remembered.
struct FleetControl: MachineControl {
    /// How the agent left.
    enum Exit: Sendable { case system, reboot, off }

    struct Failure: Error, CustomStringConvertible { var description: String }

    let machine: FleetMachine
    let start: Int
    let bootID: String
    private let left = Exits()

    init(machine: FleetMachine, start: Int, bootID: String) {
        (self.machine, self.start, self.bootID) = (machine, start, bootID)
    }

    private final class Exits: Sendable { let exit = Mutex<Exit?>(nil) }

    var exit: Exit? { left.exit.withLock { $0 } }

    func identity() -> (machine: MachineIdentity, bootID: String) { (hardware().identity, bootID) }
    func hardware() -> HardwareReport { machine.hardware(bootID: bootID) }
    var news: Int { 0 }
    func setClock(_ now: Date) {}

    func install(
        _ order: InstallOrder, on disk: Disk, progress: @escaping @Sendable (OrderProgress.Step, Int64, Int64) -> Void
    ) throws -> (entry: EntryWay, facts: [String: String]) {
        machine.disk.withLock { $0 = .init(signatures: ["gpt"]) }
        let fate = machine.fate()
        let total = order.image.rawBytes
        try pass(machine.seconds(machine.pace.install), fate) { fraction in
            progress(.writing, Int64(Double(total) * fraction), total)
        }
        progress(.readingBack, total, total)
        let settings = order.files.first { $0.path.hasSuffix("machine.conf") }?.content ?? ""
        progress(.configuring, 0, 0)
        machine.disk.withLock { $0 = .init(signatures: ["gpt"], system: InstalledNode.Settings(settings)) }
        if case .reboot = order.entry { return (.reboot, ["disk": disk.serial ?? disk.path]) }
        return (.kexec, ["disk": disk.serial ?? disk.path])
    }

    func load(
        _ installer: InstallerOrder, for disk: Disk,
        progress: @escaping @Sendable (OrderProgress.Step, Int64, Int64) -> Void
    ) throws -> [String: String] { throw Failure(description: "nothing of this fleet runs an installer") }

    func wipe(
        _ order: WipeOrder, _ disks: [Disk], progress: @escaping @Sendable ([DiskProgress]) -> Void
    ) -> WipeOutcome {
        let began = Date()
        let fate = machine.fate()
        machine.disk.withLock { $0.system = nil }
        var failure: String?
        do {
            try pass(machine.seconds(machine.pace.wipe), fate) { fraction in
                progress(disks.map { DiskProgress(disk: $0.serial ?? $0.path, step: .erasing, fraction: fraction) })
            }
            machine.disk.withLock { $0 = .init() }
        } catch {
            failure = "\(error)"
        }
        let evidence = zip(disks, order.disks).map { disk, wanted in
            DiskEvidence(
                disk, method: wanted.methods.first, startedAt: began, endedAt: Date(),
                readBack: .init(kind: order.verify, bytes: 1 << 20, finding: "all zeros"),
                outcome: failure.map { .failed($0) } ?? .erased)
        }
        return WipeOutcome(disks: evidence, facts: [:], failures: [])
    }

    /// Lets the time of an order pass, and has happen what the dice said.
    private func pass(_ seconds: Double, _ fate: FleetMachine.Fate, _ progress: (Double) -> Void) throws {
        let steps = max(2, Int(seconds / 0.25))
        for step in 0..<steps {
            guard machine.chassis.isRunning(start) else { throw Failure(description: "the power is off") }
            progress(Double(step) / Double(steps))
            usleep(UInt32(seconds / Double(steps) * 1e6))
            guard step == steps / 2 else { continue }
            switch fate {
            case .well: break
            case .restarts:
                Report.say(.dice, machine.number, "restart")
                machine.chassis.restart(from: start)
            case .breaks:
                Report.say(.dice, machine.number, "disk")
                throw Failure(description: "cannot write at byte 4096 of /dev/nvme0n1: Input/output error")
            }
        }
    }

    func load(_ system: InstalledSystem, on disk: Disk) throws {
        guard machine.disk.withLock({ $0.system }) != nil else { throw Failure(description: "no kernel on the disk") }
    }

    func setUpBMC(_ user: BMCUserOrder) throws -> [String: String] {
        throw Failure(description: "no BMC answers in-band")
    }

    /// Nobody asks for one.
    var shell: ShellProgram { ShellProgram(path: "/bin/false", home: "/") }

    func enter(_ way: EntryWay) { left.exit.withLock { $0 = way == .kexec ? .system : .reboot } }
    func reboot() { left.exit.withLock { $0 = .reboot } }
    func powerOff() { left.exit.withLock { $0 = .off } }
}
