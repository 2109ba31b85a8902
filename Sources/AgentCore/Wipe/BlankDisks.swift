import Inventory
import Machines
import Synchronization

/// Disks that this agent has erased, that read as zeros from end to end, and that nobody can have written to since.
final class BlankDisks: Sendable {
    private struct Name: Hashable {
        var serial: String?
        var wwn: String?
        var path: String
    }

    private let names = Mutex<Set<Name>>([])

    /// What is said of a disk, or of its samples, where there are only zeros.
    static let zeros = "all zeros"

    /// After a wipe. Samples of zeros are enough where zeros were written; what a drive does by itself has to be read to its end.
    func note(_ evidence: [DiskEvidence]) {
        names.withLock { names in
            for disk in evidence {
                let name = Name(serial: disk.serial, wwn: disk.wwn, path: disk.path)
                let isProven =
                    disk.method != .quick && disk.readBack?.kind == .full && disk.readBack?.finding == Self.zeros
                let isWritten = disk.method == .overwrite && disk.readBack?.finding == Self.zeros
                names.remove(name)
                if disk.outcome == .erased, isProven || isWritten { names.insert(name) }
            }
        }
    }

    /// Whether a disk is blank, asked by who will write to it: from then on it is not.
    func take(_ disk: Disk) -> Bool {
        names.withLock { $0.remove(Name(serial: disk.serial, wwn: disk.wwn, path: disk.path)) != nil }
    }

    /// Anything may be anywhere.
    func forget() { names.withLock { $0 = [] } }
}
