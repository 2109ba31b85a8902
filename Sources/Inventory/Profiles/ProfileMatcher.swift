/// Finds the hardware profile of a machine. Pure.
public struct ProfileMatcher: Sendable {
    public enum Outcome: Sendable {
        case none
        case one(HardwareProfile)
        /// Several fit equally well: a person has to say which.
        case tie([HardwareProfile])

        public var profile: HardwareProfile? { if case .one(let profile) = self { profile } else { nil } }

        /// Of the profile; of several where they tie.
        public var names: [String] {
            switch self {
            case .none: []
            case .one(let profile): [profile.name]
            case .tie(let profiles): profiles.map(\.name)
            }
        }

        /// For people.
        public var words: String {
            switch self {
            case .none: "no hardware profile matches"
            case .one(let profile): "hardware profile \(profile.name)"
            case .tie(let profiles):
                "the hardware profiles \(profiles.map(\.name).joined(separator: " and ")) fit equally well; give one of them a higher "
                    + "priority"
            }
        }
    }

    /// By name.
    public let profiles: [HardwareProfile]
    /// The highest rank first, then by name.
    private let ranked: [(profile: HardwareProfile, condition: ConditionIndex.Node)]
    private let index: ConditionIndex

    public init(_ profiles: [HardwareProfile]) {
        self.profiles = profiles.sorted { $0.name < $1.name }
        var index = ConditionIndex()
        ranked = self.profiles.map { ($0, index.add($0.match)) }
            .sorted {
                $1.profile.rank < $0.profile.rank
                    || ($0.profile.rank == $1.profile.rank && $0.profile.name < $1.profile.name)
            }
        self.index = index
    }

    /// Of the profiles that fit the one of the highest priority, then the one that demands most.
    public func match(_ report: HardwareReport) -> Outcome {
        var best: [HardwareProfile] = []
        var look = index.look(at: report)
        for (profile, condition) in ranked {
            if let rank = best.first?.rank, profile.rank < rank { break }
            if look.holds(condition) { best.append(profile) }
        }
        return switch best.count {
        case 0: .none
        case 1: .one(best[0])
        default: .tie(best)
        }
    }

    public func profile(named name: String) -> HardwareProfile? { profiles.first { $0.name == name } }

    /// Every profile, and why it is or is not the machine's: the chosen one first, then those that fit, then the nearest misses.
    public func explain(_ report: HardwareReport) -> [ProfileExplanation] {
        let chosen = match(report).profile?.name
        return profiles.map { profile in
            ProfileExplanation(
                profile: profile.name, isChosen: profile.name == chosen, priority: profile.priority,
                specificity: profile.match.specificity, condition: profile.match.explain(report))
        }.sorted { $0.order < $1.order }
    }
}

extension HardwareProfile {
    struct Rank: Comparable {
        var priority: Int
        var specificity: Int

        static func < (left: Self, right: Self) -> Bool {
            (left.priority, left.specificity) < (right.priority, right.specificity)
        }
    }

    var rank: Rank { Rank(priority: priority, specificity: specificity) }
}

/// Why a profile is or is not a machine's.
public struct ProfileExplanation: Codable, Sendable {
    public var profile: String
    public var isChosen: Bool
    public var priority: Int
    public var specificity: Int
    public var condition: ConditionExplanation

    struct Order: Comparable {
        var key: (Int, Int, Int, Int)
        var name: String

        static func == (left: Self, right: Self) -> Bool { left.key == right.key && left.name == right.name }
        static func < (left: Self, right: Self) -> Bool {
            left.key == right.key ? left.name < right.name : left.key < right.key
        }
    }

    var order: Order {
        Order(key: (isChosen ? 0 : 1, condition.misses, -priority, -specificity), name: profile)
    }
}
