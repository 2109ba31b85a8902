import Inventory

/// What a wipe would do to each disk of a machine. Nothing is erased that is not in ``targets``.
public struct WipePlan: Codable, Equatable, Sendable {
    public var policy: WipePolicy
    public var targets: [Target]
    /// Every other disk, with the reason.
    public var leftAlone: [LeftAlone]
    public var extras: WipeRequest.Extras

    public struct Target: Codable, Equatable, Sendable {
        /// As the machine's report has it.
        public var disk: Disk
        /// The first that the drive carries out is the one; each of them satisfies the policy.
        public var methods: [EraseMethod]
        /// What comes after them where the drive says that its erase commands are frozen, and nowhere else.
        public var whereFrozen: [EraseMethod]

        public init(disk: Disk, methods: [EraseMethod], whereFrozen: [EraseMethod] = []) {
            (self.disk, self.methods, self.whereFrozen) = (disk, methods, whereFrozen)
        }
    }

    public struct LeftAlone: Codable, Equatable, Sendable {
        public var disk: Disk
        public var reason: String

        public init(disk: Disk, reason: String) { (self.disk, self.reason) = (disk, reason) }
    }

    public init(policy: WipePolicy, targets: [Target], leftAlone: [LeftAlone], extras: WipeRequest.Extras) {
        (self.policy, self.targets, self.leftAlone, self.extras) = (policy, targets, leftAlone, extras)
    }

    /// The plan as an order for the machine's agent.
    /// - Parameter driveSecret: see ``WipeOrder/driveSecret``.
    public func order(driveSecret: String) -> WipeOrder {
        WipeOrder(
            disks: targets.map { target in
                DiskWipe(disk: DiskTarget(target.disk), methods: target.methods, whereFrozen: target.whereFrozen)
            }, verify: policy.verify, extras: extras, driveSecret: driveSecret)
    }
}

/// Why no wipe is begun. Nothing was changed.
public struct WipeObstacle: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
