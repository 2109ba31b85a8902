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
    /// Targets that the evidence does not show erased, by a method of the plan: in words.
    public func lacking(in evidence: [DiskEvidence]) -> [String] {
        targets.filter { target in
            !evidence.contains { found in
                found.outcome == .erased && found.serial == target.disk.serial && found.wwn == target.disk.wwn
                    && found.sizeBytes == target.disk.sizeBytes
                    && found.method.map { (target.methods + target.whereFrozen).contains($0) } ?? false
            }
        }.map { $0.disk.serial ?? $0.disk.wwn ?? $0.disk.path }
    }
}
