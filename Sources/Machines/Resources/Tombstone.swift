import FoundationEssentials
import NetworkAddresses

/// What is left of a machine that was forgotten: enough to know it again, and to answer who took it away.
public struct Tombstone: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "tombstone"

    /// The machine's id.
    public let id: String
    public let name: String
    public let serial: String?
    public let macs: [MACAddress]
    public let phase: Phase
    /// The node that it was, which nobody took out of its cluster.
    public let node: String?
    /// Its disks were not erased by a wipe of ours after its last install.
    public let mayHoldData: Bool
    public let forgottenBy: String
    public let forgottenAt: Date

    public init(_ machine: Machine, mayHoldData: Bool, by actor: String, at now: Date) {
        (id, name, serial) = (machine.id, machine.name, machine.observed.hardware?.facts.serial)
        (macs, phase, node) = (machine.observed.macs, machine.observed.phase, machine.observed.node)
        (self.mayHoldData, forgottenBy, forgottenAt) = (mayHoldData, actor, now)
    }
}
