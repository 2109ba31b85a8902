import APIModel
import FoundationEssentials
import Glibc
import Inventory
import Machines

/// A machine made of files, to try a daemon without servers. It opens sessions, verifies orders and writes images as a real one
/// does; its disks are plain files, and what a real one writes into partitions goes into folders named after them.
///
///     hardware.json     its hardware report; the path of each disk is a file name in this directory
///     NAME.raw          a disk, as large as the file is
///     PARTITION/PATH    a file of the installed system's configuration
///     installer/        kernel, initrd and command-line of the installer that it entered
///     faults.json       what goes wrong in a wipe, if it is there: {"SERIAL, WWN OR FILE NAME": "read-only"}; see ``SimulatedFault``
///
/// A wipe overwrites these files or removes their labels by the same engine as a real one, with marks and proof; drives of files have no
/// commands of their own to erase them.
public struct SimulatedMachine: MachineControl {
    private let directory: String
    private let bootID = UUID().uuidString.lowercased()
    private let blank = BlankDisks()

    /// - Throws: ``InstallError`` when `hardware.json` cannot be read.
    public init(directory: String) throws {
        guard let path = realpath(directory, nil) else { throw InstallError.system("find", directory) }
        defer { free(path) }
        self.directory = String(cString: path)
        _ = try report()
    }

    private func report() throws -> HardwareReport {
        let file = directory + "/hardware.json"
        do {
            var report = try JSONDecoder().decode(HardwareReport.self, from: Data(contentsOf: URL(filePath: file)))
            report.bootID = bootID
            return report
        } catch {
            throw InstallError("\(file) is no hardware report: \(error)")
        }
    }

    public func identity() -> (machine: MachineIdentity, bootID: String) { (hardware().identity, bootID) }

    /// Read anew each time, since disks may be changed under a running machine.
    public func hardware() -> HardwareReport {
        do {
            return try report()
        } catch {
            Startup.giveUp("\(error)")
        }
    }

    public var news: Int { 0 }

    public func setClock(_ now: Date) {}

    public func install(
        _ order: InstallOrder, on disk: Disk, progress: @escaping InstallProgress
    ) throws -> (entry: EntryWay, facts: [String: String]) {
        let outcome = try ImageWriter(
            order: order, target: BlockTarget(path: try file(of: disk)), isBlank: blank.take(disk), progress: progress
        ).run()
        let installed = InstalledDisk(path: disk.path, table: outcome.table, files: SystemFiles())
        progress(.configuring, 0, 0)
        for file in order.files {
            _ = try installed.entry(file.partition)
            let folder = file.partition.description
            guard !folder.contains("/"), !folder.hasPrefix(".") else {
                throw InstallError("the partition \(folder) cannot be a folder's name")
            }
            try InstalledDisk.write(file, below: directory + "/" + folder)
        }
        if let first = order.firstStart {
            try load(first, progress)
            return (.kexec, ["disk": disk.serial ?? disk.path])
        }
        guard let partition = order.entry.partition else { return (.reboot, ["disk": disk.serial ?? disk.path]) }
        _ = try installed.entry(partition)
        return (.kexec, ["disk": disk.serial ?? disk.path])
    }

    /// Its kernel, initramfs and command line are left in the folder `installer`.
    public func load(
        _ installer: InstallerOrder, for disk: Disk, progress: @escaping InstallProgress
    ) throws -> [String: String] {
        let path = try file(of: disk)
        try load(installer.boot, progress)
        return ["disk": disk.serial ?? path]
    }

    private func load(_ boot: KernelOrder, _ progress: InstallProgress) throws {
        let fetched = InstallerFiles(folder: directory + "/installer")
        try fetched.fetch(boot) { progress(.fetching, $0, $1) }
        try Data(boot.commandLine.utf8).write(to: URL(filePath: fetched.folder + "/command-line"))
    }

    public func wipe(
        _ order: WipeOrder, _ disks: [Disk], progress: @escaping @Sendable ([DiskProgress]) -> Void
    ) -> WipeOutcome {
        let devices = SimulatedWipeDevices(faults: faults(of: disks), path: { [self] in try file(of: $0) })
        let evidence = WipeRun(order: order, disks: disks, devices: devices, progress: progress).run()
        blank.note(evidence)
        // It has neither NVRAM nor a TPM.
        return WipeOutcome(disks: evidence, facts: [:], failures: [])
    }

    /// By path of the disk; read anew for each order.
    private func faults(of disks: [Disk]) -> [String: SimulatedFault] {
        guard let content = try? Data(contentsOf: URL(filePath: directory + "/faults.json")) else { return [:] }
        do {
            let named = try JSONDecoder().decode([String: SimulatedFault].self, from: content)
            return disks.reduce(into: [:]) { faults, disk in
                faults[disk.path] = [disk.serial, disk.wwn, disk.path].compactMap { $0 }.compactMap { named[$0] }.first
            }
        } catch {
            Startup.giveUp("\(directory)/faults.json is not a table of disks and faults: \(error)")
        }
    }

    public func load(_ system: InstalledSystem, on disk: Disk) throws {
        guard let partition = system.entry.partition else { throw InstallError("no kernel to start") }
        _ = try InstalledDisk(path: try file(of: disk), files: SystemFiles()).entry(partition)
    }

    /// The disk's file, which must be a plain one in the directory: no simulation ever opens a device.
    private func file(of disk: Disk) throws -> String {
        let path = directory + "/" + disk.path
        var status = stat()
        guard !disk.path.contains("/"), lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw InstallError("\(disk.path) is not a plain file in \(directory)")
        }
        return path
    }

    /// There is no BMC in a folder: what its user would be is written down, without the password.
    public func setUpBMC(_ user: BMCUserOrder) throws -> [String: String] {
        guard try report().bmc?.address != nil else { throw InstallError("hardware.json names no BMC") }
        try Data("\(user.username)\n".utf8).write(to: URL(filePath: directory + "/bmc-user"))
        return [:]
    }

    /// A real shell of this host, in the directory.
    public var shell: ShellProgram {
        blank.forget()
        return ShellProgram(path: "/bin/sh", home: directory)
    }

    public func startFromNetwork() -> [String: String] { [:] }

    public func enter(_ way: EntryWay) {}
    public func reboot() {}
    public func powerOff() {}
}
