import FoundationEssentials
import Inventory

/// What an erasure needs of its machine: blocks of disks, answers of drives, and the programs that send drives their erase commands. Tests put drives of
/// their own here.
protocol WipeDevices: DriveCommands {
    /// Opens a disk for this wipe alone.
    /// - Throws: an error whose description is for a person: it is read-only, mounted or part of a RAID, or does not answer.
    func open(_ disk: Disk) throws -> any WipeTarget
    /// Runs a program to its end. Blocks.
    func run(_ program: WipeProgram, _ arguments: [String], within limit: Duration) -> ProgramResult
    /// The namespace id of an NVMe disk.
    func namespace(of disk: Disk) -> UInt32?
    /// Where the partitions of a disk lie, in bytes.
    func partitions(of disk: Disk) -> [Range<Int64>]
    /// Passes the time until a drive is asked again how far it is.
    func rest(_ time: Duration)
}

/// Programs of the agent's image, which are there for wipes only.
enum WipeProgram: String, Sendable {
    case nvme = "/usr/sbin/nvme"
    case hdparm = "/usr/sbin/hdparm"
    case sgSanitize = "/usr/bin/sg_sanitize"
}

/// What came of a program. An exit status of 0 proves nothing: hdparm has it when the drive refused.
struct ProgramResult: Equatable, Sendable {
    enum Ending: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
        /// It was ended because it took too long, or is still waiting for its drive.
        case timeout
        case notStarted(String)
    }

    var ending: Ending
    /// The first 16 KiB of what it printed.
    var output: String

    var isSuccess: Bool { ending == .exit(0) }

    /// In one line, for a person.
    var words: String {
        let ended =
            switch ending {
            case .exit(let status): "exit status \(status)"
            case .signal(let signal): "ended by signal \(signal)"
            case .timeout: "no end in time"
            case .notStarted(let why): why
            }
        let lines = output.split(whereSeparator: \.isNewline).suffix(3)
            .map { $0.split(separator: " ").joined(separator: " ") }.filter { !$0.isEmpty }
        return lines.isEmpty ? ended : "\(lines.joined(separator: " / ")) (\(ended))"
    }
}

/// The blocks of a disk, past the page cache. Offsets and lengths are multiples of the disk's logical block.
protocol WipeTarget: Sendable {
    var sizeBytes: Int64 { get }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int64) throws
    /// Returns when everything written is on the medium.
    func flush() throws
    /// Tells the drive that no block is in use.
    func discard() throws
    func rereadPartitions() throws
}

extension BlockTarget: WipeTarget {}

/// Why a disk is not erased, in words for a person.
struct WipeFailure: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
