import NetworkAddresses

/// The last attempts of one machine to boot from the network, as they are kept.
public struct BootRecord: Codable, Equatable, Sendable, Identifiable {
    public static let kind = "boot"

    /// The MAC that boots.
    public let id: String
    /// Id of the machine.
    public let machine: String
    /// The newest last.
    public let traces: [BootTrace]
    /// Nil in records of versions that learned nothing.
    public let habits: BootHabits?

    public init(machine: String, traces: [BootTrace], habits: BootHabits) {
        (id, self.machine, self.traces) = (traces.last?.mac.description ?? machine, machine, traces)
        self.habits = habits
    }
}
