import FoundationEssentials
import Glibc
import Inventory

/// The disks and drives of this machine.
struct KernelWipeDevices: WipeDevices {
    let files: SystemFiles
    private let drives = KernelDriveCommands()

    init(files: SystemFiles) { self.files = files }

    func open(_ disk: Disk) throws -> any WipeTarget { try BlockTarget(path: disk.path, ofAnyBlockSize: true) }

    func run(_ program: WipeProgram, _ arguments: [String], within limit: Duration) -> ProgramResult {
        ChildProgram.run(program.rawValue, arguments, within: limit)
    }

    func namespace(of disk: Disk) -> UInt32? {
        files.number("/sys/block/\(disk.path.dropFirst(5))/nsid").flatMap { UInt32(exactly: $0) }
    }

    func partitions(of disk: Disk) -> [Range<Int64>] {
        let base = "/sys/block/\(disk.path.dropFirst(5))"
        return files.list(base).compactMap { name in
            // The kernel counts in 512 bytes, whatever the disk's block is.
            guard files.exists("\(base)/\(name)/partition"), let start = files.number("\(base)/\(name)/start"),
                let count = files.number("\(base)/\(name)/size"), start >= 0, count > 0
            else { return nil }
            return start * 512..<(start + count) * 512
        }
    }

    func rest(_ time: Duration) {
        let (seconds, attoseconds) = time.components
        usleep(UInt32(clamping: seconds * 1_000_000 + attoseconds / 1_000_000_000_000))
    }

    func nvme(_ path: String, opcode: UInt8, namespace: UInt32, dword10: UInt32, bytes: Int) -> [UInt8]? {
        drives.nvme(path, opcode: opcode, namespace: namespace, dword10: dword10, bytes: bytes)
    }

    func scsi(_ path: String, _ command: [UInt8], bytes: Int) -> (answer: [UInt8], sense: [UInt8])? {
        drives.scsi(path, command, bytes: bytes)
    }
}
