import Inventory

extension WipePlan {
    /// The plan for a person, a line for each disk: what it is, and how it is erased or why it is left alone; then what else is removed.
    public static func words(_ plan: WipePlan) -> [String] {
        let targets = plan.targets.map { target in
            let ways = target.methods.map { method in
                "\(method.rawValue) (\(method.category(rotational: target.disk.rotational).rawValue))"
            }
            let frozen = target.whereFrozen.map(\.rawValue).joined(separator: ", ")
            return "erase \(name(target.disk)): \(ways.joined(separator: ", else "))"
                + (frozen.isEmpty ? "" : "; where frozen: \(frozen)")
        }
        let others = plan.leftAlone.map { "leave \(name($0.disk)): \($0.reason)" }
        let extras = [
            plan.extras.bootEntries ? "boot entries of systems that are gone" : nil,
            plan.extras.crashRecords ? "crash records" : nil, plan.extras.tpm ? "the TPM's owner and keys" : nil,
        ].compactMap { $0 }
        // What the profile says is told as well as what was asked for.
        let policy = targets.isEmpty ? [] : ["policy: \(plan.policy.words)"]
        return targets + others + policy + (extras.isEmpty ? [] : ["clear \(extras.joined(separator: ", "))"])
    }

    private static func name(_ disk: Disk) -> String {
        let facts = [
            disk.serial ?? disk.wwn ?? "\(disk.path) without serial", disk.model ?? disk.transport.rawValue,
            NumberUnit.bytes.words(disk.sizeBytes), disk.path,
        ]
        return facts.joined(separator: ", ")
    }
}
