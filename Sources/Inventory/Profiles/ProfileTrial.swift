/// What would be if there were other profiles: which machines would have another. Pure; nothing is changed.
public struct ProfileTrial: Sendable {
    public let before: ProfileMatcher
    public let after: ProfileMatcher
    /// Profiles that are there before and after, and not the same text.
    private let replaced: Set<String>

    /// - Parameters:
    ///   - added: one with the name of a profile that is there replaces it.
    ///   - removed: names.
    /// - Throws: ``ProfileTrialError``.
    public init(
        of before: ProfileMatcher, adding added: [HardwareProfile], removing removed: [String]
    ) throws(ProfileTrialError) {
        let names = added.map(\.name)
        for name in names where names.count(where: { $0 == name }) > 1 { throw .twice(name) }
        for name in removed {
            guard before.profile(named: name) != nil else { throw .unknown(name) }
            guard !names.contains(name) else { throw .addedAndRemoved(name) }
        }
        self.before = before
        replaced = Set(names.filter { before.profile(named: $0) != nil })
        after = ProfileMatcher(
            before.profiles.filter { !names.contains($0.name) && !removed.contains($0.name) } + added)
    }

    /// What becomes of one machine.
    public func judge(_ report: HardwareReport) -> Verdict {
        let (old, new) = (before.match(report), after.match(report))
        let isSame = old.names == new.names
        guard !isSame else {
            return new.profile.map { replaced.contains($0.name) } ?? false ? .replaced : .same
        }
        return .changed(
            Change(from: old.names, to: new.names, why: why(report, old, new)))
    }

    public enum Verdict: Equatable, Sendable {
        case same
        /// It keeps its profile by name, and that has another text.
        case replaced
        case changed(Change)
    }

    public struct Change: Codable, Equatable, Sendable {
        /// None: no profile; several: a tie.
        public var from: [String]
        public var to: [String]
        /// In words.
        public var why: String

        public init(from: [String], to: [String], why: String) { (self.from, self.to, self.why) = (from, to, why) }

        public var becomesAmbiguous: Bool { to.count > 1 }
    }

    private func why(_ report: HardwareReport, _ old: ProfileMatcher.Outcome, _ new: ProfileMatcher.Outcome) -> String {
        let losses = old.names.filter { !new.names.contains($0) }.compactMap { loss(of: $0, report) }
        let gains: String
        switch new {
        case .none: gains = "no profile fits"
        case .one(let profile):
            gains = "\(profile.name) fits: \(profile.match.words)\(precedence(of: profile, over: old, report))"
        case .tie(let profiles):
            let rank = profiles.first.map {
                "priority \($0.priority), \($0.specificity) condition\($0.specificity == 1 ? "" : "s")"
            }
            gains =
                "\(profiles.map(\.name).joined(separator: " and ")) fit equally well (\(rank ?? "")): "
                + "give one of them a higher priority"
        }
        return (losses + [gains]).joined(separator: "; ")
    }

    /// Why a profile is not the machine's any more, where its own text is the reason.
    private func loss(of name: String, _ report: HardwareReport) -> String? {
        guard let profile = after.profile(named: name) else { return "\(name) is removed" }
        let faults = profile.match.explain(report).faults
        return faults.isEmpty ? nil : "\(name) \(faults.joined(separator: ", "))"
    }

    private func precedence(of profile: HardwareProfile, over old: ProfileMatcher.Outcome, _ report: HardwareReport)
        -> String
    {
        guard let former = old.names.first.flatMap({ after.profile(named: $0) }), former.name != profile.name,
            former.rank < profile.rank, former.match.holds(for: report)
        else { return "" }
        return former.priority == profile.priority
            ? " (\(profile.specificity) conditions before \(former.name)'s \(former.specificity))"
            : " (priority \(profile.priority) before \(former.name)'s \(former.priority))"
    }
}

/// What was asked for makes no sense.
public enum ProfileTrialError: Error, Equatable, CustomStringConvertible {
    case twice(String)
    case unknown(String)
    case addedAndRemoved(String)

    public var description: String {
        switch self {
        case .twice(let name): "two of the files are profiles called \(name)"
        case .unknown(let name): "no hardware profile is called \(name); see `slipway profile list`"
        case .addedAndRemoved(let name): "\(name) is tried and removed at once: say one of it"
        }
    }
}
