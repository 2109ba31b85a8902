import FoundationEssentials
import Inventory
import NetworkAddresses

/// Decides whether this machine may carry out an order. Pure; invariant 1 of the design.
public enum OrderVerifier {
    /// Checks machine and time; every fact that the order names must be what this machine reads now.
    /// - Throws: ``OrderRefusal`` naming the fact that differed.
    public static func check(_ order: Order, on report: HardwareReport, now: Date) throws(OrderRefusal) {
        guard now < order.expiresAt else { throw .expired(at: order.expiresAt, now: now) }
        // A minute for the drift of two clocks.
        guard order.issuedAt <= now.addingTimeInterval(60) else {
            throw .notYetValid(issuedAt: order.issuedAt, now: now)
        }
        let own = report.facts
        guard order.machine.uuid == own.uuid else {
            throw .otherMachine(fact: "uuid", ordered: words(order.machine.uuid), found: words(own.uuid))
        }
        guard order.machine.serial == own.serial else {
            throw .otherMachine(fact: "serial", ordered: order.machine.serial ?? "none", found: own.serial ?? "none")
        }
        guard order.machine.macs == own.macs, own.uuid != nil || own.serial != nil || !own.macs.isEmpty else {
            throw .otherMachine(
                fact: "mac", ordered: order.machine.macs.map(\.description).joined(separator: ","),
                found: own.macs.map(\.description).joined(separator: ","))
        }
    }

    /// The one disk that `target` names.
    /// - Throws: ``OrderRefusal``.
    public static func disk(_ target: DiskTarget, among disks: [Disk]) throws(OrderRefusal) -> Disk {
        let named = disks.filter { disk in
            if target.serial == nil && target.wwn == nil {
                // Only a person names a disk by its path, and only one that has no better name.
                return disk.serial == nil && disk.wwn == nil && target.path == disk.path
                    && disk.sizeBytes == target.sizeBytes
            }
            return disk.serial == target.serial && disk.wwn == target.wwn && disk.sizeBytes == target.sizeBytes
        }
        guard let disk = named.first else { throw .noSuchDisk(ordered: target.words, found: disks.map(\.summary)) }
        guard named.count == 1 else { throw .ambiguousDisk(ordered: target.words, found: named.map(\.summary)) }
        if let reason = disk.untargetable { throw .untargetableDisk(disk.summary, reason: reason) }
        return disk
    }

    private static func words(_ uuid: SystemUUID?) -> String { uuid?.description ?? "none" }
}

extension DiskTarget {
    /// For people.
    public var words: String {
        let facts = [serial.map { "serial \($0)" }, wwn.map { "WWN \($0)" }, path]
        return (facts.compactMap { $0 } + ["\(sizeBytes) bytes"]).joined(separator: ", ")
    }
}
