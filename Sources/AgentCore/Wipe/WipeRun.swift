import APIModel
import Inventory
import Machines
import Synchronization

/// Carries out one wipe order: every drive on a thread of its own, the namespaces of an NVMe controller together.
struct WipeRun: Sendable {
    let order: WipeOrder
    /// In the order's order.
    let disks: [Disk]
    let devices: any WipeDevices
    let progress: @Sendable ([DiskProgress]) -> Void

    /// Drives that are erased at the same time; a machine has power and paths for so many, and more make none of them faster.
    static let width = 16

    /// Blocks until every disk is done.
    /// - Returns: what became of each, in the order's order.
    func run() -> [DiskEvidence] {
        let board = WipeBoard(disks, publish: progress)
        let units = self.units(board)
        let evidence = Mutex<[Int: DiskEvidence]>([:])
        let next = Mutex(0)
        let finished = Mutex(0)
        for _ in units.prefix(Self.width) {
            AgentThread.start("wipe") {
                while true {
                    let index = next.withLock { next in
                        defer { next += 1 }
                        return next
                    }
                    guard index < units.count else { break }
                    let found = units[index].run()
                    evidence.withLock { $0.merge(found) { $1 } }
                    finished.withLock { $0 += 1 }
                }
            }
        }
        while finished.withLock({ $0 }) < units.count { devices.rest(.milliseconds(20)) }
        let found = evidence.withLock { $0 }
        return disks.indices.compactMap { found[$0] }
    }

    private func units(_ board: WipeBoard) -> [WipeUnit] {
        var controllers: [String: Int] = [:]
        var units: [WipeUnit] = []
        for (index, disk) in disks.enumerated() {
            let member = WipeUnit.Member(index: index, disk: disk, order: order.disks[index])
            if disk.transport == .nvme, let unit = controllers[disk.nvmeController] {
                units[unit].members.append(member)
            } else {
                if disk.transport == .nvme { controllers[disk.nvmeController] = units.count }
                units.append(
                    WipeUnit(
                        members: [member], verify: order.verify, secret: order.driveSecret, devices: devices,
                        board: board))
            }
        }
        return units
    }
}

extension Disk {
    /// `/dev/nvme0` of `/dev/nvme0n1`
    var nvmeController: String { DiskReader.controllerPath(String(path.dropFirst(5))) }
}
