import Inventory

/// Erase these disks of one machine, and nothing else.
public struct WipeOrder: Codable, Equatable, Sendable {
    public var disks: [DiskWipe]
    public var verify: WipePolicy.Verification
    public var extras: WipeRequest.Extras
    /// Set on ATA drives for the time of a secure erase. The daemon kept it before this order left, so that a drive that was cut off in mid-erase
    /// is not locked for ever: the next order has the same one.
    public var driveSecret: String

    public init(
        disks: [DiskWipe], verify: WipePolicy.Verification, extras: WipeRequest.Extras, driveSecret: String
    ) {
        (self.disks, self.verify, self.extras, self.driveSecret) = (disks, verify, extras, driveSecret)
    }
}

/// One disk of a ``WipeOrder``.
public struct DiskWipe: Codable, Equatable, Sendable {
    public var disk: DiskTarget
    /// The first that the drive carries out is the one; one that it does not have or refuses is passed over. None of them: the wipe failed.
    public var methods: [EraseMethod]
    /// Come after ``methods`` where the drive says that its erase commands are frozen, and nowhere else.
    public var whereFrozen: [EraseMethod]

    public init(disk: DiskTarget, methods: [EraseMethod], whereFrozen: [EraseMethod] = []) {
        (self.disk, self.methods, self.whereFrozen) = (disk, methods, whereFrozen)
    }
}
