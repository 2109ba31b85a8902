import Inventory
import Testing

/// The matcher against the rule that it carries out, on machines and profiles of all kinds.
@Suite struct ProfileMatcherTests {
    /// Of those that fit the highest priority, then the most demands.
    static func expected(_ report: HardwareReport, _ profiles: [HardwareProfile]) -> [String] {
        let fitting = profiles.filter { $0.match.holds(for: report) }
        let highest = fitting.filter { one in fitting.allSatisfy { $0.priority <= one.priority } }
        let best = highest.filter { one in highest.allSatisfy { $0.match.specificity <= one.match.specificity } }
        return best.map(\.name).sorted()
    }

    @Test("it finds what a look at every profile finds, in whatever order they come", arguments: [1, 2, 3] as [UInt64])
    func naive(seed: UInt64) {
        var rack = SyntheticRack(seed: seed)
        let profiles = (0..<60).map { rack.profile(number: $0) }
        var shuffler = SyntheticRack.SplitMix(state: seed)
        let (matcher, shuffled) = (ProfileMatcher(profiles), ProfileMatcher(profiles.shuffled(using: &shuffler)))
        var outcomes: [Int: Int] = [:]
        for number in 0..<150 {
            let machine = rack.machine(number: number)
            let expected = Self.expected(machine, profiles)
            #expect(matcher.match(machine).names == expected && shuffled.match(machine).names == expected)
            outcomes[min(2, expected.count), default: 0] += 1
        }
        // Some of each: none, one, a tie.
        #expect(outcomes[0, default: 0] > 0 && outcomes[1, default: 0] > 0, "\(outcomes)")
    }

    @Test("conditions of any shape hold exactly when what they say holds", arguments: [7, 8] as [UInt64])
    func shapes(seed: UInt64) {
        var rack = SyntheticRack(seed: seed)
        let machines = (0..<40).map { rack.machine(number: $0) }
        for number in 0..<150 {
            let profile = HardwareProfile(name: "p\(number)", match: rack.condition(depth: 4))
            let matcher = ProfileMatcher([profile])
            for machine in machines {
                let holds = profile.match.holds(for: machine)
                #expect((matcher.match(machine).profile != nil) == holds, "\(profile.match.words)")
                let explained = profile.match.explain(machine)
                #expect(explained.holds == holds && explained.faults.isEmpty == holds, "\(profile.match.words)")
            }
        }
    }

    @Test("a tie names all that fit equally well, by name; a priority or a demand more ends it")
    func ties() {
        var rack = SyntheticRack(seed: 4)
        let machine = rack.machine(number: 1)
        func profile(_ name: String, priority: Int = 0, demands: Int) -> HardwareProfile {
            HardwareProfile(
                name: name, priority: priority,
                match: .all(Array(repeating: .machine("serial", "SER1"), count: demands)))
        }
        let tied = [profile("b", demands: 2), profile("a", demands: 2), profile("z", demands: 1)]
        #expect(ProfileMatcher(tied).match(machine).names == ["a", "b"])
        #expect(ProfileMatcher(tied + [profile("c", demands: 3)]).match(machine).names == ["c"])
        #expect(ProfileMatcher(tied + [profile("d", priority: 1, demands: 0)]).match(machine).names == ["d"])
        #expect(ProfileMatcher(tied + [profile("e", priority: -1, demands: 9)]).match(machine).names == ["a", "b"])
    }
}
