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
    let identities: IdentityBook
    let profiles: ProfileBook
    /// Those of the installation.
    let certificates: [ProblemFacts.Certificate]
    let now: @Sendable () -> Date

    /// Every problem, the worst and then the oldest first. Since when is kept where nothing else tells it.
    public func problems() async throws -> [Problem] {
        let (sightings, now) = try await sightings()
        return try await store.transaction { transaction in
            let former = try await transaction.get(ProblemMemory.self, ProblemMemory.id)
            var memory = former ?? ProblemMemory()
            let problems = memory.recall(sightings, now: now)
            if memory != former ?? ProblemMemory() { try transaction.put(memory) }
            return problems
        }
    }

    /// Machine by machine: all of them at once, with their hardware, would be most of what the daemon holds.
    private func sightings() async throws -> (sightings: [ProblemSighting], now: Date) {
        let now = now()
        var facts = try await installation(now)
        // What has ended is no problem any more.
        let operations = Dictionary(
            try await store.compactMap(Operation.self) { $0.isFinished ? nil : ($0.id, $0) }, uniquingKeysWith: { $1 })
        let sessions = Dictionary(
            try await store.compactMap(AgentSession.self) { session in
                board.isLive(session, at: now) ? (session.id, fact(of: session, at: now)) : nil
            }, uniquingKeysWith: { $1 })
        var sightings: [ProblemSighting] = []
        try await store.eachPage(of: Machine.self) { machines in
            for var machine in machines {
                facts.operations[machine.id] = machine.observed.operation.flatMap { operations[$0] }
                facts.sessions[machine.id] = machine.observed.session.flatMap { sessions[$0] }
                sightings += ProblemRules.examine(machine, facts)
                machine.observed.hardware = nil
                facts.machines.append(machine)
            }
            return true
        }
        facts.approvals = operations.values.filter { $0.state == .pending && $0.waitsForApproval }.map {
            .init(
                operation: $0.id, machine: $0.machine,
                what: $0.verb.rawValue + ($0.targets.map { " \($0.count) disks" } ?? ""),
                requestedBy: $0.requestedBy, since: $0.createdAt)
        }
        return (sightings + ProblemRules.examineInstallation(facts), now)
    }

    private func fact(of session: AgentSession, at now: Date) -> Situation.Session {
        .init(
            id: session.id, openedAt: session.openedAt, live: true, trusted: session.trust != nil,
            idle: board.isIdle(session.id))
    }

    /// Without its machines and what is done with them.
    private func installation(_ now: Date) async throws -> ProblemFacts {
        var facts = ProblemFacts(machines: [], now: now)
        facts.name = { [identities] in identities.name(of: $0) }
        facts.hasAnnouncements = try await !store.list(kind: ExpectedMachine.kind, .init(limit: 1)).records.isEmpty
        facts.releases = try await store.list(OSRelease.self).items
        for digest in Set(facts.releases.flatMap { $0.artifacts.values.map(\.sha256) })
        where await images.path(ofImage: digest) != nil { facts.images.insert(digest) }
        facts.certificates = certificates
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
