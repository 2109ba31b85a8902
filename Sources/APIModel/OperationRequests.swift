import Inventory
import Machines

/// What is to be erased, and how. Absent fields: the hardware profile's policy, all local disks.
public struct WipeBody: Codable, Sendable {
    public var method: WipePolicy.Method?
    /// Needs ``method``.
    public var verify: WipePolicy.Verification?
    /// Needs ``method``.
    public var frozen: WipePolicy.Frozen?
    public var scope: WipeRequest.Scope?
    /// Serial numbers or WWNs.
    public var keep: [String]?
    /// Of disks that have neither.
    public var paths: [String]?
    public var bootEntries: Bool?
    public var crashRecords: Bool?
    public var tpm: Bool?

    public init(
        method: WipePolicy.Method? = nil, verify: WipePolicy.Verification? = nil, frozen: WipePolicy.Frozen? = nil,
        scope: WipeRequest.Scope? = nil, keep: [String]? = nil, paths: [String]? = nil, bootEntries: Bool? = nil,
        crashRecords: Bool? = nil, tpm: Bool? = nil
    ) {
        (self.method, self.verify, self.frozen, self.scope) = (method, verify, frozen, scope)
        (self.keep, self.paths, self.bootEntries) = (keep, paths, bootEntries)
        (self.crashRecords, self.tpm) = (crashRecords, tpm)
    }

    /// What of it cannot be meant; nil: it is fine. A policy is said whole, so that none of a profile's is weakened by half a word.
    public var fault: (field: String, reason: String)? {
        guard method == nil, verify != nil || frozen != nil else { return nil }
        return ("wipe.method", "say the method as well: quick, clear or purge")
    }

    public var request: WipeRequest {
        WipeRequest(
            policy: method.map { WipePolicy(method: $0, verify: verify ?? .sampled, frozen: frozen ?? .fail) },
            scope: scope ?? .all, keep: keep ?? [], paths: paths ?? [],
            extras: .init(
                bootEntries: bootEntries ?? true, crashRecords: crashRecords ?? true, tpm: tpm ?? false))
    }
}

/// `POST /api/v1/machines/{machine}/wipe` → 202 ``OperationView``; with `dryRun` 200 ``WipePlanView``.
public struct WipeMachineRequest: Codable, Sendable {
    public var wipe: WipeBody?
    /// A node leaves its cluster first; absent: yes.
    public var drain: Bool?
    public var requireApproval: Bool?
    /// Nothing is done.
    public var dryRun: Bool?

    public init(wipe: WipeBody? = nil, drain: Bool? = nil, requireApproval: Bool? = nil, dryRun: Bool? = nil) {
        (self.wipe, self.drain, self.requireApproval, self.dryRun) = (wipe, drain, requireApproval, dryRun)
    }
}

/// `POST /api/v1/machines/{machine}/reprovision` → 202 ``OperationView``; with `dryRun` 200 ``WipePlanView``. What is absent stays as it is.
public struct ReprovisionRequest: Codable, Sendable {
    public var cluster: String?
    public var release: String?
    public var disk: String?
    public var role: Machine.NodeRole?
    public var wipe: WipeBody?
    public var drain: Bool?
    public var requireApproval: Bool?
    public var dryRun: Bool?
    /// Back to the last release and configuration that it was a node with; says what else would be said here.
    public var rollback: Bool?

    public init(
        cluster: String? = nil, release: String? = nil, disk: String? = nil, role: Machine.NodeRole? = nil,
        wipe: WipeBody? = nil, drain: Bool? = nil, requireApproval: Bool? = nil, dryRun: Bool? = nil,
        rollback: Bool? = nil
    ) {
        self.rollback = rollback
        (self.cluster, self.release, self.disk, self.role) = (cluster, release, disk, role)
        (self.wipe, self.drain, self.requireApproval, self.dryRun) = (wipe, drain, requireApproval, dryRun)
    }
}

/// `POST /api/v1/machines/{machine}/release` → 202 ``OperationView``.
public struct ReleaseRequest: Codable, Sendable {
    public enum Policy: String, Codable, Sendable, CaseIterable {
        /// Its disks are erased, and it waits for its next use.
        case recycle
        /// Its disks keep their data, and it waits.
        case retain
    }

    public var policy: Policy
    public var wipe: WipeBody?
    public var drain: Bool?
    public var requireApproval: Bool?

    public init(
        policy: Policy, wipe: WipeBody? = nil, drain: Bool? = nil, requireApproval: Bool? = nil
    ) {
        (self.policy, self.wipe, self.drain, self.requireApproval) = (policy, wipe, drain, requireApproval)
    }
}

/// `POST /api/v1/machines/{machine}/rescue` → 202 ``OperationView``.
public struct RescueRequest: Codable, Sendable {
    /// How long the shell lasts at most: a minute to a day; absent: an hour.
    public var seconds: Double?

    public init(seconds: Double? = nil) { self.seconds = seconds }
}

/// `POST /api/v1/machines/{machine}/maintain` → 200 ``MachineView``.
public struct MaintainRequest: Codable, Sendable {
    public var reason: String?

    public init(reason: String? = nil) { self.reason = reason }
}
