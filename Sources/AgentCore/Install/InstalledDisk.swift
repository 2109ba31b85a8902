import CAgent
import Glibc
import Machines

/// A disk with a system on it: its partitions by name, mounted for as long as something is done in them.
struct InstalledDisk {
    let path: String
    let table: GPT
    let files: SystemFiles

    init(path: String, table: GPT, files: SystemFiles) { (self.path, self.table, self.files) = (path, table, files) }

    /// Reads the partition table.
    /// - Throws: ``InstallError``, ``GPTError``.
    init(path: String, files: SystemFiles) throws {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw InstallError.system("open", path) }
        defer { close(file) }
        var head = [UInt8](repeating: 0, count: (GPT.tableBlocks + 1) * GPT.blockBytes)
        guard read(file, &head, head.count) == head.count else { throw InstallError.system("read", path) }
        self.init(path: path, table: try GPT(head: head), files: files)
    }

    private static let mountPoint = "/run/installed"

    /// Writes files, each whole and on the medium before this returns.
    /// - Throws: ``InstallError``.
    func write(_ configuration: [ConfigurationFile]) throws {
        var rest = configuration
        while let first = rest.first {
            let together = rest.filter { $0.partition == first.partition }
            rest.removeAll { $0.partition == first.partition }
            try mounted(first.partition, first.fileSystem, writable: true) { root in
                for file in together { try Self.write(file, below: root) }
            }
        }
    }

    /// Runs `body` with a partition mounted.
    func mounted<Result>(
        _ partition: PartitionReference, _ fileSystem: ConfigurationFile.FileSystem, writable: Bool,
        _ body: (String) throws -> Result
    ) throws -> Result {
        let device = try device(of: try entry(partition))
        mkdir(Self.mountPoint, 0o700)
        let flags = UInt(MS_NOSUID | MS_NODEV | MS_NOEXEC) | (writable ? 0 : UInt(MS_RDONLY))
        guard mount(device, Self.mountPoint, fileSystem.rawValue, flags, nil) == 0 else {
            throw InstallError.system("mount \(partition) as \(fileSystem.rawValue) from", device)
        }
        defer { umount2(Self.mountPoint, 0) }
        let result = try body(Self.mountPoint)
        if writable {
            sync()
        }
        return result
    }

    /// Id of the FAT volume in a partition.
    /// - Throws: ``InstallError``.
    func fatVolume(_ entry: GPT.Entry) throws -> String? {
        let device = try device(of: entry)
        let file = open(device, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw InstallError.system("open", device) }
        defer { close(file) }
        var sector = [UInt8](repeating: 0, count: 512)
        guard read(file, &sector, sector.count) == sector.count else { throw InstallError.system("read", device) }
        return FATVolume.id(ofSector: sector)
    }

    func entry(_ partition: PartitionReference) throws -> GPT.Entry {
        let found =
            switch partition {
            case .name(let name): table.entries.filter { $0.name == name }
            case .number(let number): table.entries.filter { $0.number == number }
            case .label(let label): try table.entries.filter { try self.label(of: $0) == label }
            }
        guard let entry = found.first, found.count == 1 else {
            throw InstallError("the installed disk has \(found.count) partitions \(partition), not one")
        }
        return entry
    }

    /// The partition that firmware starts from.
    /// - Throws: ``InstallError``.
    func systemPartition() throws -> GPT.Entry {
        let found = table.entries.filter { $0.type == GPT.Entry.efiSystem }
        guard let entry = found.first, found.count == 1 else {
            throw InstallError("the installed disk has \(found.count) EFI system partitions, not one")
        }
        return entry
    }

    private func label(of entry: GPT.Entry) throws -> String? {
        let device = try device(of: entry)
        let file = open(device, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw InstallError.system("open", device) }
        defer { close(file) }
        var head = [UInt8](repeating: 0, count: FileSystemLabel.bytes)
        return FileSystemLabel.of(Array(head.prefix(max(0, read(file, &head, head.count)))))
    }

    /// The device node appears a moment after the kernel read the table.
    private func device(of entry: GPT.Entry) throws -> String {
        let number = entry.number
        let device = path + (path.last?.isNumber == true ? "p" : "") + "\(number)"
        for _ in 0..<100 {
            if files.exists(device) { return device }
            usleep(50_000)
        }
        throw InstallError("\(device) does not appear; the kernel did not take the new partition table")
    }

    /// Writes one file below a directory, making the directories it is in.
    static func write(_ file: ConfigurationFile, below root: String) throws {
        let parts = file.path.split(separator: "/")
        guard !parts.isEmpty, !parts.contains("..") else {
            throw InstallError("\(file.path) is not a path inside a partition")
        }
        var directory = root
        mkdir(directory, 0o755)
        for part in parts.dropLast() {
            directory += "/" + part
            mkdir(directory, 0o755)
        }
        let path = directory + "/" + (parts.last ?? "")
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(file.mode))
        guard descriptor >= 0 else { throw InstallError.system("create", path) }
        defer { close(descriptor) }
        let bytes = Array(file.content.utf8)
        guard fchmod(descriptor, mode_t(file.mode)) == 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count,
            fsync(descriptor) == 0
        else { throw InstallError.system("write", path) }
    }
}
