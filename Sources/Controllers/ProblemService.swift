import FoundationEssentials
import Inventory
import Logging
import Machines
import Metrics
import ServiceLifecycle
import Store

/// What is wrong now.
public struct ProblemService: Sendable {
    let store: any RecordStore
    let board: SessionBoard
    let images: any ImageSource
    let profiles: ProfileBook
    /// Those of the installation.
    let certificates: [ProblemFacts.Certificate]
    let now: @Sendable () -> Date

    /// Every problem, the worst and then the oldest first. Since when is kept where nothing else tells it.
    public func problems() async throws -> [Problem] {
        let facts = try await facts()
        let sightings = ProblemRules.examine(facts)
        return try await store.transaction { transaction in
            let former = try await transaction.get(ProblemMemory.self, ProblemMemory.id)
            var memory = former ?? ProblemMemory()
            let problems = memory.recall(sightings, now: facts.now)
            if memory != former ?? ProblemMemory() { try transaction.put(memory) }
            return problems
        }
    }

    private func facts() async throws -> ProblemFacts {
        let now = now()
        var facts = ProblemFacts(machines: try await store.list(Machine.self).items, now: now)
        let needed = Set(facts.machines.compactMap(\.observed.operation))
        let operations = Dictionary(
            try await store.compactMap(Operation.self) { needed.contains($0.id) ? ($0.id, $0) : nil },
            uniquingKeysWith: { $1 })
        let live = Set(facts.machines.compactMap(\.observed.session))
        let sessions = Dictionary(
            try await store.compactMap(AgentSession.self) { live.contains($0.id) ? ($0.id, $0) : nil },
            uniquingKeysWith: { $1 })
        for machine in facts.machines {
            if let id = machine.observed.operation { facts.operations[machine.id] = operations[id] }
            guard let session = machine.observed.session.flatMap({ sessions[$0] }) else { continue }
            facts.sessions[machine.id] = .init(
                id: session.id, openedAt: session.openedAt, live: board.isLive(session, at: now),
                trusted: session.trust != nil, idle: board.isIdle(session.id))
        }
        facts.hasAnnouncements = try await !store.list(kind: ExpectedMachine.kind, .init(limit: 1)).records.isEmpty
        facts.releases = try await store.list(OSRelease.self).items
        for release in facts.releases where await images.path(ofImage: release.image.sha256) != nil {
            facts.images.insert(release.image.sha256)
        }
        facts.certificates = certificates
        facts.approvals = operations.values.filter { $0.state == .pending && $0.waitsForApproval }.map {
            .init(
                operation: $0.id, machine: $0.machine,
                what: $0.verb.rawValue + ($0.targets.map { " \($0.count) disks" } ?? ""),
                requestedBy: $0.requestedBy, since: $0.createdAt)
        }
        let profiles = profiles
        facts.deadline = { machine in
            let profile = machine.observed.profile.flatMap { profiles.profile(named: $0) }
            return machine.observed.phase.deadline(profile?.deadlines ?? .init())
        }
        return facts
    }
}

/// Looks every minute what is wrong, for `slipway_problems`.
public struct ProblemWatch: Service {
    let problems: ProblemService
    let logger: Logger

    public func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    Self.publish(try await problems.problems())
                } catch is CancellationError {
                    return
                } catch {
                    logger.warning("problems were not looked for, will retry", metadata: ["error": "\(error)"])
                }
                try await Task.sleep(for: .seconds(60))
            }
        }
    }

    /// Every kind has its series, also those that there is none of: an alert on a series that comes and goes is a bad one.
    static func publish(_ problems: [Problem]) {
        let counts = Dictionary(grouping: problems, by: \.kind).mapValues(\.count)
        for kind in Problem.Kind.allCases {
            Meter(
                label: "problems", dimensions: [("problem", kind.rawValue), ("severity", kind.severity.rawValue)]
            ).set(counts[kind] ?? 0)
        }
    }
}
