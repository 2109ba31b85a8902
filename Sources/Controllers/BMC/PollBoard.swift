import FoundationEssentials
import Machines

/// Which BMCs are to be looked at now. BMCs that did not answer keep to a lane of their own, so that however many of them there are the
/// others are looked at in time.
struct PollBoard {
    enum Outcome: Equatable, Sendable {
        case answered
        /// It did not answer, or not well.
        case failed
        /// It refused the user. Many BMCs lock one out who goes on.
        case refused
    }

    private enum Lane: CaseIterable {
        /// Never asked before: nobody knows how long it takes.
        case new
        case well, sick

        /// BMCs that are asked at once.
        var width: Int {
            switch self {
            case .new: 256
            case .well: 64
            case .sick: 16
            }
        }
    }

    private struct Entry {
        var endpoint: Machine.BMCEndpoint
        var due: Date
        var lane = Lane.new
        /// In a row.
        var failures = 0
        var isRunning = false
        /// The endpoint was changed while it was being asked.
        var isStale = false
    }

    /// Seconds between two looks at a BMC that answers, unless there are too many of them.
    static let shortestInterval = 60.0
    /// Looks a second at those that answer, at most: each is a session of its own.
    static let rate = 50.0
    /// After the first failure; doubled at each further one.
    static let firstRest = 30.0
    static let longestRest = 600.0
    static let restAfterRefusal = 3600.0
    /// BMCs that are asked at once at most.
    static let most = Lane.allCases.map(\.width).reduce(0, +)

    private var entries: [String: Entry] = [:]

    private var interval: Double { max(Self.shortestInterval, Double(entries.count) / Self.rate) }

    /// A machine has this BMC, or none any more.
    /// - Parameter jitter: 0 to 1.
    mutating func note(_ endpoint: Machine.BMCEndpoint?, of id: String, now: Date, jitter: Double) {
        guard let endpoint, endpoint.kind?.isController ?? true else {
            entries[id] = nil
            return
        }
        guard let known = entries[id] else {
            // At a start of the daemon all are due: spread over one interval.
            entries[id] = Entry(endpoint: endpoint, due: now.addingTimeInterval(jitter * interval))
            return
        }
        guard known.endpoint != endpoint else { return }
        entries[id] = Entry(endpoint: endpoint, due: now, isRunning: known.isRunning, isStale: known.isRunning)
    }

    /// The machines whose BMCs are to be asked now, the one that has waited longest first. They count as being asked from here on.
    mutating func start(now: Date) -> [String] {
        var free = Dictionary(uniqueKeysWithValues: Lane.allCases.map { ($0, $0.width) })
        for entry in entries.values where entry.isRunning { free[entry.lane, default: 0] -= 1 }
        let due = entries.filter { !$0.value.isRunning && $0.value.due <= now }
            .sorted { ($0.value.due, $0.key) < ($1.value.due, $1.key) }
        var started: [String] = []
        for (id, entry) in due where free[entry.lane, default: 0] > 0 {
            free[entry.lane, default: 0] -= 1
            entries[id]?.isRunning = true
            started.append(id)
        }
        return started
    }

    /// A look ended.
    mutating func finish(_ id: String, _ outcome: Outcome, now: Date, jitter: Double) {
        guard var entry = entries[id] else { return }
        let wasStale = entry.isStale
        (entry.isRunning, entry.isStale) = (false, false)
        entry.failures = outcome == .answered || wasStale ? 0 : entry.failures + 1
        entry.lane = wasStale ? .new : outcome == .answered ? .well : .sick
        let rest: Double =
            switch outcome {
            case .answered: interval
            case .failed: min(Self.longestRest, Self.firstRest * Double(1 << min(max(0, entry.failures - 1), 8)))
            case .refused: Self.restAfterRefusal
            }
        entry.due = wasStale ? now : now.addingTimeInterval(rest * (0.8 + 0.4 * jitter))
        entries[id] = entry
    }

    /// When a machine's BMC is looked at next; nil: it has none.
    func due(_ id: String) -> Date? { entries[id]?.due }
}
