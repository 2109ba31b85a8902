import FoundationEssentials
import Inventory

/// What became of one disk in a wipe, as the agent saw it.
public struct DiskEvidence: Codable, Equatable, Sendable {
    public enum Outcome: Codable, Equatable, Sendable {
        case erased
        /// What was tried, and what came back. The disk is not clean.
        case failed(String)
    }

    /// What was read afterwards.
    public struct ReadBack: Codable, Equatable, Sendable {
        public var kind: WipePolicy.Verification
        /// Bytes read after the erasure.
        public var bytes: Int64
        /// What was found, in words: `all zeros`, `none of 2048 marks left`.
        public var finding: String

        public init(kind: WipePolicy.Verification, bytes: Int64, finding: String) {
            (self.kind, self.bytes, self.finding) = (kind, bytes, finding)
        }
    }

    /// `/dev/…` in that boot.
    public var path: String
    public var serial: String?
    public var wwn: String?
    public var model: String?
    public var firmware: String?
    public var sizeBytes: Int64
    public var transport: DiskTransport
    /// What was carried out; nil: nothing was.
    public var method: EraseMethod?
    /// What ``method`` is worth on this drive; nil: nothing was carried out.
    public var category: SanitizationCategory?
    public var startedAt: Date
    public var endedAt: Date
    public var readBack: ReadBack?
    public var outcome: Outcome
    /// Anything a person should know, such as methods that the drive refused.
    public var remarks: [String]

    public init(
        _ disk: Disk, method: EraseMethod?, startedAt: Date, endedAt: Date, readBack: ReadBack?, outcome: Outcome,
        remarks: [String] = []
    ) {
        (path, serial, wwn, model, firmware) = (disk.path, disk.serial, disk.wwn, disk.model, disk.firmware)
        (sizeBytes, transport) = (disk.sizeBytes, disk.transport)
        category = method?.category(rotational: disk.rotational)
        (self.method, self.startedAt, self.endedAt) = (method, startedAt, endedAt)
        (self.readBack, self.outcome, self.remarks) = (readBack, outcome, remarks)
    }
}

extension WipePlan {
    /// What keeps an agent's account from being that of this plan, in words; nil: it shows each target erased by a method of the plan, once, and tells
    /// of no other disk.
    public func gap(in evidence: [DiskEvidence]) -> String? {
        let lacking = targets.filter { target in
            evidence.count { found in
                found.outcome == .erased && found.isOf(target.disk)
                    && found.method.map { (target.methods + target.whereFrozen).contains($0) } ?? false
            } != 1
        }
        guard lacking.isEmpty else {
            let names = lacking.map { $0.disk.serial ?? $0.disk.wwn ?? $0.disk.path }
            return "the agent shows no proof for \(names.joined(separator: ", "))"
        }
        guard let other = evidence.first(where: { found in !targets.contains { found.isOf($0.disk) } }) else {
            return nil
        }
        return "the agent tells of the disk \(other.serial ?? other.wwn ?? other.path), which was not ordered"
    }
}

extension DiskEvidence {
    fileprivate func isOf(_ disk: Disk) -> Bool {
        // A disk without serial and WWN was ordered by its path.
        serial == disk.serial && wwn == disk.wwn && sizeBytes == disk.sizeBytes
            && (serial != nil || wwn != nil || path == disk.path)
    }
}
