import FoundationEssentials

/// How long machines stay in their phases. Pure.
public enum PhaseReport {
    /// One phase of the machines of one hardware profile.
    public struct Row: Codable, Equatable, Sendable {
        public var phase: Phase
        /// Nil: none was matched.
        public var profile: String?
        /// Stays that ended, those that failed included.
        public var count: Int
        /// Of them, those that ended as `failed`.
        public var failed: Int
        /// Seconds, of those that did not fail; nil: there is none.
        public var median: Double?
        public var p95: Double?

        public init(phase: Phase, profile: String?, count: Int, failed: Int, median: Double?, p95: Double?) {
            (self.phase, self.profile, self.count, self.failed) = (phase, profile, count, failed)
            (self.median, self.p95) = (median, p95)
        }
    }

    /// - Parameters:
    ///   - profile: only this one's; nil: all.
    ///   - since: only stays that ended then or later; nil: all that is kept.
    public static func rows(_ histories: [PhaseHistory], profile: String? = nil, since: Date? = nil) -> [Row] {
        struct Key: Hashable { var phase: Phase, profile: String? }
        let ended = histories.flatMap(\.records).filter { record in
            guard let until = record.until else { return false }
            return until >= since ?? .distantPast && (profile == nil || record.profile == profile)
        }
        let order = Dictionary(uniqueKeysWithValues: zip(Phase.allCases, 0...))
        return Dictionary(grouping: ended) { Key(phase: $0.phase, profile: $0.profile) }.map { key, records in
            let (lost, done) = (records.filter { $0.next == .failed }, records.filter { $0.next != .failed })
            let seconds = done.compactMap(\.seconds)
            return Row(
                phase: key.phase, profile: key.profile, count: records.count, failed: lost.count,
                median: percentile(50, of: seconds), p95: percentile(95, of: seconds))
        }.sorted { (order[$0.phase] ?? 0, $0.profile ?? "") < (order[$1.phase] ?? 0, $1.profile ?? "") }
    }

    /// Linear between the two nearest ranks, as spreadsheets have it: of 1, 2, 3, 4 the 50th is 2.5.
    /// - Parameter percent: 0 to 100.
    /// - Returns: nil: there are no values.
    public static func percentile(_ percent: Double, of values: [Double]) -> Double? {
        guard let last = values.indices.last else { return nil }
        let sorted = values.sorted()
        let rank = min(max(percent, 0), 100) / 100 * Double(last)
        let below = Int(rank)
        let above = min(below + 1, last)
        return sorted[below] + (sorted[above] - sorted[below]) * (rank - Double(below))
    }
}
