import FoundationEssentials
import Inventory
import Machines

extension Machine {
    /// Which profile is the machine's follows from its hardware, and its labels from the profile.
    /// - Returns: an event that belongs into the same transaction; nil when it is as it was.
    mutating func take(_ outcome: ProfileMatcher.Outcome, at now: Date) -> Event? {
        let former = condition(.profileMatched)?.reason
        observed.profile = outcome.profile?.name
        observed.profileLabels = outcome.profile.flatMap { $0.labels.isEmpty ? nil : $0.labels }
        set(.profileMatched, outcome.profile != nil, outcome.words, at: now)
        guard former != outcome.words else { return nil }
        updatedAt = now
        return .now(
            .profileMatched, machine: id, actor: "slipwayd", outcome.words,
            details: ["profile": outcome.profile?.name ?? ""], at: now)
    }
}
