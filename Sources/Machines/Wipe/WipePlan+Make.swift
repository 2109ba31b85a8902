import Inventory

extension WipePlan {
    /// Decides which disks a wipe takes, and how. Pure. Whatever leaves a doubt is an obstacle: a machine is never called wiped because a disk of it was
    /// passed over in silence.
    /// - Parameters:
    ///   - disks: of the machine's newest report.
    ///   - profilePolicy: what the machine's hardware profile says.
    ///   - rootDisk: the disk that a system is or would be installed on; needed for ``WipeRequest/Scope/rootDisk`` only.
    /// - Throws: ``WipeObstacle``, which names the disk and what to say instead.
    public static func make(
        _ request: WipeRequest, disks: [Disk], profilePolicy: WipePolicy?, rootDisk: Disk?
    ) throws(WipeObstacle) -> WipePlan {
        let policy = request.policy ?? profilePolicy ?? .standard
        let kept = try keptPaths(request, disks)
        try checkPaths(request, disks)
        if let both = request.paths.first(where: kept.contains) {
            throw WipeObstacle("\(both) is to be wiped and to be kept")
        }
        if request.scope == .rootDisk {
            guard let rootDisk else {
                throw WipeObstacle(
                    "it is not known which disk is the root disk; wipe all disks, or give a root disk hint")
            }
            guard !kept.contains(rootDisk.path) else {
                throw WipeObstacle("the root disk \(rootDisk.summary) is to be wiped and to be kept")
            }
        }
        var plan = WipePlan(policy: policy, targets: [], leftAlone: [], extras: request.extras)
        for disk in disks {
            if let reason = disk.outsideReason {
                plan.leftAlone.append(LeftAlone(disk: disk, reason: reason))
            } else if kept.contains(disk.path) {
                plan.leftAlone.append(LeftAlone(disk: disk, reason: "it is to be kept"))
            } else if request.scope == .rootDisk, disk.path != rootDisk?.path {
                plan.leftAlone.append(LeftAlone(disk: disk, reason: "only the root disk is wiped"))
            } else {
                try plan.targets.append(target(disk, policy, request, all: disks))
            }
        }
        if request.scope == .rootDisk, plan.targets.isEmpty, let rootDisk {
            throw WipeObstacle(
                "the root disk \(rootDisk.summary) cannot be wiped: \(rootDisk.untargetable ?? "it is gone")")
        }
        guard !plan.targets.isEmpty else {
            throw WipeObstacle(
                "no local disk is left to wipe; the machine has "
                    + (disks.isEmpty
                        ? "none: does the agent image have the driver of its controller?"
                        : plan.leftAlone.map { "\($0.disk.summary): \($0.reason)" }.joined(separator: "; ")))
        }
        try plan.checkControllers()
        return plan
    }

    /// Paths of the disks that ``WipeRequest/keep`` names.
    private static func keptPaths(_ request: WipeRequest, _ disks: [Disk]) throws(WipeObstacle) -> Set<String> {
        var kept: Set<String> = []
        for name in request.keep {
            let named = disks.filter { $0.isNamed(name) }
            guard !named.isEmpty else {
                throw WipeObstacle(
                    "no disk to keep is called \(name); the machine has \(disks.map(\.summary).joined(separator: ", "))"
                )
            }
            kept.formUnion(named.map(\.path))
        }
        return kept
    }

    private static func checkPaths(_ request: WipeRequest, _ disks: [Disk]) throws(WipeObstacle) {
        for path in request.paths {
            guard let disk = disks.first(where: { $0.path == path }) else {
                throw WipeObstacle(
                    "no disk is at \(path); the machine has \(disks.map(\.summary).joined(separator: ", "))")
            }
            if let name = disk.serial ?? disk.wwn {
                throw WipeObstacle(
                    "\(path) is called \(name): paths change from boot to boot, and name only disks without serial and WWN"
                )
            }
            if let reason = disk.untargetable { throw WipeObstacle("\(path) is never written to: \(reason)") }
        }
    }

    private static func target(
        _ disk: Disk, _ policy: WipePolicy, _ request: WipeRequest, all: [Disk]
    ) throws(WipeObstacle) -> Target {
        let keep = "--keep-disk \(disk.serial ?? disk.wwn ?? disk.path)"
        // What is this machine's own and cannot be written to would survive a wipe.
        if let reason = disk.untargetable {
            throw WipeObstacle(
                "\(disk.summary) cannot be wiped: \(reason); mend that, or leave its data by \(keep)")
        }
        guard disk.serial != nil || disk.wwn != nil || request.paths.contains(disk.path) else {
            throw WipeObstacle(
                "\(disk.summary) has neither serial nor WWN; name it by its path to wipe it (\(disk.path)), or leave its data by \(keep)"
            )
        }
        if disk.serial != nil || disk.wwn != nil {
            let same = all.filter {
                $0.serial == disk.serial && $0.wwn == disk.wwn && $0.sizeBytes == disk.sizeBytes
            }
            guard same.count == 1 else {
                throw WipeObstacle(
                    "nothing tells \(same.map(\.summary).joined(separator: " from ")): none of them can be wiped alone")
            }
        }
        let methods = methods(disk, atLeast: policy.method)
        guard let first = methods.first else {
            throw WipeObstacle(
                "\(disk.summary) has no way to purge it "
                    + (disk.eraseMethods == nil
                        ? "(it did not say which it has)"
                        : "(it has \((disk.eraseMethods ?? []).map(\.rawValue).joined(separator: ", ")))")
                    + "; wipe with the policy clear, or leave its data by \(keep)")
        }
        let frozen =
            policy.method == .purge && policy.frozen == .clear && first.canBeFrozen
            ? Self.methods(disk, atLeast: .clear).filter { !methods.contains($0) } : []
        return Target(disk: disk, methods: methods, whereFrozen: frozen)
    }

    /// What the disk has of what satisfies the policy, the best first.
    static func methods(_ disk: Disk, atLeast policy: WipePolicy.Method) -> [EraseMethod] {
        let wanted: SanitizationCategory
        switch policy {
        case .quick: return [.quick]
        case .clear: wanted = .clear
        case .purge: wanted = .purge
        }
        // Whoever has no drive commands of its own, as a hypervisor's or RAID controller's disk, is overwritten. A discard is no way by itself: it
        // promises nothing of what is read afterwards; the agent sends one before it overwrites.
        let had = Set((disk.eraseMethods ?? []) + [.overwrite])
        return EraseMethod.byWorth.filter { had.contains($0) && $0.category(rotational: disk.rotational) >= wanted }
    }

    /// One command of an NVMe controller erases all its namespaces: none of them can be kept.
    private func checkControllers() throws(WipeObstacle) {
        for target in targets where target.methods.contains(where: \.isOfWholeController) {
            let controller = target.disk.nvmeController
            guard let other = leftAlone.first(where: { $0.disk.nvmeController == controller }) else { continue }
            throw WipeObstacle(
                "\(target.disk.summary) and \(other.disk.summary) are namespaces of one NVMe controller, which erases all or none, and "
                    + "\(other.reason == "it is to be kept" ? "the second is to be kept" : "of the second: \(other.reason)")"
                    + "; wipe both, keep both, or wipe with the policy quick")
        }
    }
}

extension Disk {
    /// Why it is no part of what a wipe is about, whatever the request says; nil: it is this machine's own.
    fileprivate var outsideReason: String? {
        switch transport {
        case .fibreChannel, .iscsi, .nvmeOverFabrics, .usb: return untargetable
        // Not known to be foreign either: a person has to say.
        case .unknown: return nil
        case .nvme, .sata, .sas, .virtio, .raid: return removable ? untargetable : sharedBecause
        }
    }

    /// Whether a person's word for a disk is one of its names; a path only where it has no other.
    fileprivate func isNamed(_ name: String) -> Bool {
        let name = name.lowercased()
        if serial == nil, wwn == nil { return path.lowercased() == name }
        return serial?.lowercased() == name || wwn?.lowercased() == name
    }

    /// Namespaces of one controller have this in common; nil for other disks.
    fileprivate var nvmeController: String? {
        guard transport == .nvme else { return nil }
        // `/dev/nvme0n2`
        return controller ?? String(path.prefix(upTo: path.lastIndex(of: "n") ?? path.endIndex))
    }
}

extension EraseMethod {
    /// Firmware can lock the command until the next power cycle (ACS-4 §4.18.3, SECURITY FREEZE LOCK; §4.17, SANITIZE FREEZE LOCK EXT).
    var canBeFrozen: Bool {
        switch self {
        case .ataSanitizeCrypto, .ataSanitizeBlock, .ataSanitizeOverwrite, .ataSecureErase, .ataSecureEraseEnhanced:
            true
        default: false
        }
    }
}
