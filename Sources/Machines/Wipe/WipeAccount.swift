import FoundationEssentials
import Inventory

/// All that is known of a wipe that has ended: what a certificate is made of.
public struct WipeAccount: Sendable {
    /// As it was when the wipe began.
    public var machine: Machine
    /// Id of the operation.
    public var operation: String
    /// Name of the token that asked.
    public var requestedBy: String
    /// Name of the second person's token; nil: none was asked.
    public var approvedBy: String?
    public var policy: WipePolicy
    public var disks: [DiskEvidence]
    public var leftAlone: [WipePlan.LeftAlone]
    public var agentVersion: String
    public var startedAt: Date
    public var endedAt: Date

    public init(
        machine: Machine, operation: String, requestedBy: String, approvedBy: String? = nil, policy: WipePolicy,
        disks: [DiskEvidence], leftAlone: [WipePlan.LeftAlone], agentVersion: String, startedAt: Date, endedAt: Date
    ) {
        (self.machine, self.operation, self.policy) = (machine, operation, policy)
        (self.requestedBy, self.approvedBy) = (requestedBy, approvedBy)
        (self.disks, self.leftAlone, self.agentVersion) = (disks, leftAlone, agentVersion)
        (self.startedAt, self.endedAt) = (startedAt, endedAt)
    }

    /// Why nobody may certify this; nil: it is true.
    public var obstacle: String? {
        guard !disks.isEmpty else { return "no disk was erased" }
        let failed = disks.compactMap { disk -> String? in
            let name = disk.serial ?? disk.wwn ?? disk.path
            switch disk.outcome {
            case .failed(let why): return "\(name): \(why)"
            case .erased: return disk.method == nil ? "\(name): nothing says how it was erased" : nil
            }
        }
        return failed.isEmpty ? nil : failed.joined(separator: "; ")
    }
}
