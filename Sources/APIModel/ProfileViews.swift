import Inventory

/// `GET /api/v1/profiles`: one of the list.
public struct ProfileView: Codable, Sendable {
    public var name: String
    public var priority: Int
    /// What it demands, in words.
    public var match: String
    /// How many machines have it.
    public var machines: Int

    public init(name: String, priority: Int, match: String, machines: Int) {
        (self.name, self.priority, self.match, self.machines) = (name, priority, match, machines)
    }
}

/// `GET /api/v1/machines/{id}/profile`
public struct MachineProfileView: Codable, Sendable {
    /// The machine's profile, that there is none, or which ones fit equally well.
    public var outcome: String
    /// The chosen one first, then those that fit, then the nearest misses.
    public var profiles: [ProfileExplanation]

    public init(outcome: String, profiles: [ProfileExplanation]) {
        (self.outcome, self.profiles) = (outcome, profiles)
    }
}
