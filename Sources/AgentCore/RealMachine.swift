import APIModel
import CAgent
import FoundationEssentials
import IPMI
import Inventory
import Machines
import NetworkAddresses

/// The machine that the agent runs on as PID 1.
public struct RealMachine: MachineControl {
    private let files = SystemFiles()
    private let drivers: Drivers
    private let neighbours: NeighbourTable
    private let endorsementKey: EndorsementKeyQuestion
    private let blank = BlankDisks()

    public init(drivers: Drivers, neighbours: NeighbourTable, endorsementKey: EndorsementKeyQuestion) {
        (self.drivers, self.neighbours, self.endorsementKey) = (drivers, neighbours, endorsementKey)
    }

    public var news: Int { neighbours.changes }

    private var reader: HardwareReader {
        HardwareReader(
            files: files, links: KernelLinkFacts(neighbours: neighbours), drives: KernelDriveCommands(),
            bmc: KernelInBandBMC(), endorsementKey: endorsementKey)
    }

    public func identity() -> (machine: MachineIdentity, bootID: String) { reader.identity() }

    public func hardware() -> HardwareReport {
        drivers.loadForDevices()
        // Whether Secure Boot is on is a variable.
        drivers.load(["efivarfs", "ipmi_si", "ipmi_ssif", "ipmi_devintf"])
        EFIVariables.mount(files: files)
        return reader.report()
    }

    public func setClock(_ now: Date) {
        if agent_set_clock(now.timeIntervalSince1970) != 0 { Console.say("the clock was not set everywhere") }
    }

    public func install(
        _ order: InstallOrder, on disk: Disk, progress: @escaping InstallProgress
    ) throws -> (entry: EntryWay, facts: [String: String]) {
        drivers.load(Self.fileSystems + ["efivarfs"])
        let outcome = try write(order, to: disk, progress: progress)
        let installed = InstalledDisk(path: disk.path, table: outcome.table, files: files)
        progress(.configuring, 0, 0)
        try installed.write(order.files)
        var facts = [
            "disk": disk.serial ?? disk.wwn ?? disk.path,
            "writeSeconds": "\((outcome.writeSeconds * 10).rounded() / 10)",
            "readBackSeconds": "\((outcome.readBackSeconds * 10).rounded() / 10)",
        ]
        if let variables = EFIVariables(files: files) {
            do {
                let partition = try installed.systemPartition()
                let entry = EFIBootEntry(
                    title: BootOrderPlan.prefix + order.release, partition: partition, file: "\\EFI\\BOOT\\BOOTX64.EFI")
                // GRUB finds the loader by it, should the machine ask the network again.
                facts["bootVolume"] = try installed.fatVolume(partition)
                try variables.install(entry, wanted: order.bootOrder)
            } catch {
                // The disk boots without it, by the fallback path of its ESP; the record says that NVRAM refused.
                facts["bootEntry"] = "\(error)"
            }
        }
        if let first = order.firstStart {
            // It is told what it is to be in that initramfs only: there is no other way in.
            try load(first, of: order.release, progress)
            return (.kexec, facts)
        }
        guard order.entry != .reboot else { return (.reboot, facts) }
        do {
            try Kexec.load(installed, order.entry)
            return (.kexec, facts)
        } catch {
            Console.say("no kexec, restarting through firmware: \(error)")
            facts["kexec"] = "\(error)"
            return (.reboot, facts)
        }
    }

    public func load(
        _ installer: InstallerOrder, for disk: Disk, progress: @escaping InstallProgress
    ) throws -> [String: String] {
        try load(installer.boot, of: installer.release, progress)
        return ["disk": disk.serial ?? disk.wwn ?? disk.path]
    }

    private func load(_ boot: KernelOrder, of release: String, _ progress: InstallProgress) throws {
        let (wanted, free) = (InstallerFiles.memoryBytes(boot), files.availableMemory)
        guard let free, free >= wanted else {
            throw InstallError(
                "the kernel and initramfs of \(release) take \(wanted >> 20) MiB of memory, and \((free ?? 0) >> 20) MiB are free"
            )
        }
        let fetched = InstallerFiles(folder: "/run/installer")
        try fetched.fetch(boot) { progress(.fetching, $0, $1) }
        try Kexec.load(kernel: fetched.kernel, initrd: fetched.initrd, boot.commandLine)
    }

    public func wipe(
        _ order: WipeOrder, _ disks: [Disk], progress: @escaping @Sendable ([DiskProgress]) -> Void
    ) -> WipeOutcome {
        let evidence = WipeRun(
            order: order, disks: disks, devices: KernelWipeDevices(files: files), progress: progress
        ).run()
        blank.note(evidence)
        drivers.load(["efivarfs"])
        let (facts, failures) = WipeExtras(wanted: order.extras, files: files).run()
        return WipeOutcome(disks: evidence, facts: facts, failures: failures)
    }

    public func load(_ system: InstalledSystem, on disk: Disk) throws {
        drivers.load(Self.fileSystems)
        try Kexec.load(InstalledDisk(path: disk.path, files: files), system.entry)
    }

    public func setUpBMC(_ user: BMCUserOrder) throws -> [String: String] {
        drivers.load(["ipmi_si", "ipmi_ssif", "ipmi_devintf"])
        let outcome = try InBandUserSetup().setUp(user: user.username, password: user.password)
        var facts = ["user": "\(outcome.user)", "channel": "\(outcome.channel)"]
        if !outcome.remarks.isEmpty { facts["remarks"] = outcome.remarks.joined(separator: "; ") }
        return facts
    }

    public var shell: ShellProgram {
        // Whoever has it may write to any disk.
        blank.forget()
        return ShellProgram(path: "/bin/sh", home: "/root")
    }

    private static let fileSystems = [
        "crc32c_generic", "crc32c_intel", "vfat", "nls_cp437", "nls_ascii", "nls_iso8859_1", "ext4", "xfs", "btrfs",
    ]

    /// The disk is held exclusively while it is written, and let go before its partitions are mounted.
    private func write(
        _ order: InstallOrder, to disk: Disk, progress: @escaping InstallProgress
    ) throws -> ImageWriter.Outcome {
        let target = try BlockTarget(path: disk.path)
        return try ImageWriter(order: order, target: target, isBlank: blank.take(disk), progress: progress).run()
    }

    public func startFromNetwork() throws -> [String: String] {
        drivers.load(["efivarfs"])
        // BIOS has no such thing; its boot order led here, and does so again.
        guard let entry = try EFIVariables(files: files)?.beginAgainAsNow() else { return [:] }
        return ["bootNext": entry]
    }

    public func enter(_ way: EntryWay) {
        if way == .kexec { _ = agent_reboot(CChar(UInt8(ascii: "k"))) }
        reboot()
    }

    public func reboot() { _ = agent_reboot(CChar(UInt8(ascii: "r"))) }

    public func powerOff() { _ = agent_reboot(CChar(UInt8(ascii: "p"))) }
}
