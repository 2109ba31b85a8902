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
    }

    public struct LeftAlone: Codable, Equatable, Sendable {
        public var disk: Disk
        public var reason: String
    }

    public init(policy: WipePolicy, targets: [Target], leftAlone: [LeftAlone], extras: WipeRequest.Extras) {
        (self.policy, self.targets, self.leftAlone, self.extras) = (policy, targets, leftAlone, extras)
    }
}

/// Why no wipe is begun. Nothing was changed.
public struct WipeObstacle: Error, Equatable, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }
}
