import FoundationEssentials
import Machines
import NetworkAddresses
import Synchronization

/// The last attempts of every MAC to boot from the network, in memory. Bounded: of a flood of made-up MACs the ones unheard for
/// longest make room.
public final class BootBook: Sendable {
    private struct Page {
        var traces: [BootTrace]
        var tracker = BootTracker()
        var habits = BootHabits()
    }

    /// MACs kept at most, and attempts of each.
    static let capacity = 8192
    static let attempts = 5

    private let pages = Mutex(RecentTable<MACAddress, Page>(generation: capacity / 2))

    public init() {}

    /// Takes over what the store kept.
    func load(_ records: [BootRecord]) {
        pages.withLock { pages in
            for record in records {
                guard let mac = record.traces.last?.mac else { continue }
                pages.put(Page(traces: record.traces, habits: record.habits ?? BootHabits()), for: mac)
            }
        }
    }

    /// Notes a step, in a new attempt when it begins one.
    /// - Returns: the milestones that it completes, whether it is more than a repetition, and whether it begins an attempt.
    func note(
        _ event: BootTraceEvent, of mac: MACAddress
    ) -> (reports: [BootTracker.Report], isNews: Bool, isFirst: Bool) {
        pages.withLock { pages in
            var page = pages[mac] ?? Page(traces: [])
            let boots = page.tracker.boots
            let reports = page.tracker.note(event)
            page.habits.note(event)
            let isFirst = page.tracker.boots != boots || page.traces.isEmpty
            if isFirst {
                page.traces = page.traces.suffix(Self.attempts - 1) + [BootTrace(mac: mac, at: event.time)]
            }
            let isNews = page.traces[page.traces.count - 1].note(event)
            pages.put(page, for: mac)
            return (reports, isNews, isFirst)
        }
    }

    /// The attempts of a MAC, the newest last.
    public func traces(of mac: MACAddress) -> [BootTrace] { pages.withLock { $0[mac]?.traces ?? [] } }

    /// What the boots of a MAC have shown.
    public func habits(of mac: MACAddress) -> BootHabits { pages.withLock { $0[mac]?.habits ?? BootHabits() } }

    /// How many newest attempts ended in the agent, at their own disk, or by each cause; and how many are under way.
    public func outcomes(now: Date) -> [String: Int] {
        var counts = Dictionary(uniqueKeysWithValues: BootDiagnosis.Cause.allCases.map { ($0.rawValue, 0) })
        for outcome in ["agent", "disk", "under-way"] { counts[outcome] = 0 }
        for traces in all() {
            guard let newest = traces.last else { continue }
            let stopped = BootDiagnosis.of(traces, now: now)?.cause.rawValue
            let outcome =
                stopped ?? (newest.wasHandedOver ? "disk" : newest.stage == .agent ? "agent" : "under-way")
            counts[outcome, default: 0] += 1
        }
        return counts
    }

    /// The attempts of every MAC, the one heard last first.
    public func all() -> [[BootTrace]] {
        pages.withLock { $0.values.map(\.traces) }.filter { !$0.isEmpty }
            .sorted { ($0.last?.lastAt ?? .distantPast) > ($1.last?.lastAt ?? .distantPast) }
    }
}
