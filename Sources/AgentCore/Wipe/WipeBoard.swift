import APIModel
import Inventory
import Synchronization

/// How far each disk of a wipe is. Written by the threads that erase them, and passed on whole.
final class WipeBoard: Sendable {
    private let disks: Mutex<[DiskProgress]>
    private let publish: @Sendable ([DiskProgress]) -> Void

    init(_ disks: [Disk], publish: @escaping @Sendable ([DiskProgress]) -> Void) {
        self.disks = Mutex(
            disks.map { DiskProgress(disk: $0.serial ?? $0.wwn ?? $0.path, step: .waiting) })
        self.publish = publish
    }

    func note(
        _ index: Int, _ step: DiskProgress.Step, _ method: EraseMethod? = nil, fraction: Double? = nil,
        rate: Double? = nil
    ) {
        publish(
            disks.withLock { disks in
                disks[index] = DiskProgress(
                    disk: disks[index].disk, step: step, method: method, fraction: fraction, rate: rate)
                return disks
            })
    }

    /// Passes on bytes done of a step that begins now.
    func counter(_ index: Int, _ step: DiskProgress.Step, _ method: EraseMethod) -> (Int64, Int64) -> Void {
        let start = Console.uptime
        return { [self] done, total in
            let seconds = Console.uptime - start
            note(
                index, step, method, fraction: total > 0 ? Double(done) / Double(total) : nil,
                rate: seconds > 0 ? Double(done) / seconds : nil)
        }
    }
}
