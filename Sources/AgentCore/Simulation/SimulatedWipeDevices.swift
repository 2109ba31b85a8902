import FoundationEssentials
import Glibc
import Inventory

/// What goes wrong with a disk of a simulated machine when it is wiped.
enum SimulatedFault: String, Codable, Sendable {
    /// It cannot be opened for writing.
    case readOnly = "read-only"
    /// Writing fails in its second half.
    case ioError = "io-error"
    /// Each large write takes a tenth of a second.
    case slow
    /// A SATA disk says that its erase commands are frozen.
    case frozen
}

/// Disks made of files, behind which no drive is.
struct SimulatedWipeDevices: WipeDevices {
    /// By path of a disk.
    let faults: [String: SimulatedFault]
    let path: @Sendable (Disk) throws -> String

    func open(_ disk: Disk) throws -> any WipeTarget {
        let fault = faults[disk.path]
        if fault == .readOnly { throw WipeFailure("\(disk.path) is read-only") }
        return SimulatedWipeTarget(file: try BlockTarget(path: path(disk)), fault: fault)
    }

    func run(_ program: WipeProgram, _ arguments: [String], within limit: Duration) -> ProgramResult {
        ProgramResult(ending: .notStarted("a simulated machine runs no programs"), output: "")
    }

    func namespace(of disk: Disk) -> UInt32? { nil }

    func partitions(of disk: Disk) -> [Range<Int64>] {
        guard let path = try? path(disk), let head = SystemFiles().bytes(path, limit: 1 << 20),
            let table = try? GPT(head: head)
        else { return [] }
        return table.entries.map { Int64($0.blocks.lowerBound) * 512..<(Int64($0.blocks.upperBound) + 1) * 512 }
    }

    func rest(_ time: Duration) { usleep(UInt32(clamping: time.components.attoseconds / 1_000_000_000_000)) }

    func nvme(_ path: String, opcode: UInt8, namespace: UInt32, dword10: UInt32, bytes: Int) -> [UInt8]? { nil }

    /// IDENTIFY DEVICE of a frozen drive with all there is in ATA Security; no other drive answers.
    func scsi(_ path: String, _ command: [UInt8], bytes: Int) -> (answer: [UInt8], sense: [UInt8])? {
        guard faults[path] == .frozen, command.count == 16, command[14] == 0xec else { return nil }
        var identify = [UInt8](repeating: 0, count: 512)
        (identify[164], identify[256]) = (2, 0x29)
        return (identify, [])
    }
}

private struct SimulatedWipeTarget: WipeTarget {
    let file: BlockTarget
    let fault: SimulatedFault?

    var sizeBytes: Int64 { file.sizeBytes }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        if fault == .slow, bytes.count >= 1 << 20 { usleep(100_000) }
        if fault == .ioError, offset + Int64(bytes.count) > sizeBytes / 2 {
            throw WipeFailure("cannot write at byte \(offset) of \(file.path): \(String(cString: strerror(EIO)))")
        }
        try file.write(bytes, at: offset)
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        try file.read(into: bytes, at: offset)
    }
    func flush() throws { try file.flush() }
    func discard() throws { try file.discard() }
    func rereadPartitions() throws { try file.rereadPartitions() }
}
