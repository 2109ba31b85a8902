import APIClient
import APIModel
import Foundation
import Machines

/// Waits for many machines by one watch, and shows how far each is: bars on a terminal, a line for each change in a pipe. A daemon that restarts
/// goes on with the work; so does the waiting.
enum Waiting {
    struct Target: Sendable, Equatable {
        var id: String
        var name: String
    }

    /// What a machine's state means to somebody who waits.
    enum Verdict: Equatable, Sendable {
        case going
        /// It is as it should be, in words.
        case done(String? = nil)
        /// It will not be, and why.
        case failed(String)

        var isDone: Bool { if case .done = self { true } else { false } }
        var isFailure: Bool { if case .failed = self { true } else { false } }
    }

    struct Outcome: Sendable {
        var target: Target
        /// `going`: the time ran out.
        var verdict: Verdict
        /// As it was seen last.
        var machine: MachineView?
    }

    struct Report: Sendable {
        /// In the order of the targets.
        var outcomes: [Outcome]

        var status: ExitStatus {
            if outcomes.contains(where: { $0.verdict.isFailure }) { return .failed }
            return outcomes.contains { $0.verdict == .going } ? .timedOut : .done
        }

        /// Tells on standard error what did not go well, and the next command to try.
        /// - Throws: ``ArgumentParser/ExitCode`` 1 when one failed, 124 when the time ran out.
        func finish(after timeout: TimeSpan) throws {
            for outcome in outcomes {
                if case .failed(let reason) = outcome.verdict {
                    Output.tell("\(outcome.target.name) failed: \(reason)")
                }
            }
            let late = outcomes.filter { $0.verdict == .going }
            if let first = late.first {
                Output.tell(
                    "\(Self.names(late)) not there after \(timeout.description); the work goes on: slipway machine show \(first.target.name)"
                )
            }
            if status == .failed, let first = outcomes.first(where: { $0.verdict.isFailure }) {
                Output.tell("try: slipway machine show \(first.target.name)")
            }
            if status != .done { throw status.code }
        }

        private static func names(_ outcomes: [Outcome]) -> String {
            let names = outcomes.prefix(5).map(\.target.name).joined(separator: ", ")
            return outcomes.count > 5
                ? "\(names) and \(outcomes.count - 5) more are" : outcomes.count > 1 ? "\(names) are" : "\(names) is"
        }
    }

    /// Follows machines until each has a verdict, or the time is up.
    /// - Parameters:
    ///   - painter: for standard error, where progress is shown.
    ///   - until: judges a machine; nil: it is not there any more.
    static func follow(
        _ targets: [Target], client: APIClient, timeout: Duration, painter: Painter,
        until judge: @escaping @Sendable (MachineView?, Target) -> Verdict
    ) async throws -> Report {
        let room = WaitingRoom(targets, painter: painter, judge: judge)
        if targets.isEmpty { return await room.report }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await client.follow(path(targets), as: MachineView.self) { event in
                    await room.take(event)
                }
            }
            group.addTask { try await room.tick(for: timeout) }
            defer { group.cancelAll() }
            try await group.next()
        }
        return await room.finish()
    }

    /// All machines once they are many: a list of names would be longer than what it saves.
    private static func path(_ targets: [Target]) -> String {
        let filter = targets.count <= 50 ? targets.map { "&machine=\($0.id.escaped)" }.joined() : ""
        return "/api/v1/machines?watch=true" + filter
    }

    /// The verdict on machines of which each has an operation.
    /// - Parameter operations: id of the operation by id of the machine.
    static func operations(_ operations: [String: String]) -> @Sendable (MachineView?, Target) -> Verdict {
        { machine, target in
            guard let machine else { return .failed("it was deleted") }
            guard let wanted = operations[target.id], let operation = machine.operation else { return .going }
            guard operation.id == wanted else {
                return .failed(
                    "another operation took the place of \(wanted): \(operation.verb.rawValue) \(operation.id)")
            }
            if operation.state == .succeeded { return .done(machine.node.map { "is node \($0)" }) }
            guard operation.state == .failed || operation.finishedAt != nil else { return .going }
            return .failed(operation.error ?? machine.failure ?? "no reason was recorded")
        }
    }
}

/// What is known while one waits.
private actor WaitingRoom {
    private var targets: [String: Waiting.Target] = [:]
    private let order: [Waiting.Target]
    private var board: ProgressBoard
    private var machines: [String: MachineView] = [:]
    /// Seen since the watch began; who is not there at its end was deleted while we did not look.
    private var seen: Set<String> = []
    private let judge: @Sendable (MachineView?, Waiting.Target) -> Waiting.Verdict
    private let painter: Painter
    private let region = Screen.notices.isTerminal ? LiveRegion(Screen.notices) : nil

    init(
        _ targets: [Waiting.Target], painter: Painter,
        judge: @escaping @Sendable (MachineView?, Waiting.Target) -> Waiting.Verdict
    ) {
        (order, self.painter, self.judge) = (targets, painter, judge)
        board = ProgressBoard(targets, startedAt: Date())
        for target in targets { self.targets[target.id] = target }
    }

    /// - Returns: whether there is more to wait for.
    func take(_ event: FollowEvent<MachineView>) -> Bool {
        switch event {
        case .began:
            seen = []
            tellNotice(nil)
        case .put(let machine):
            guard let target = targets[machine.id] else { break }
            seen.insert(machine.id)
            machines[machine.id] = machine
            // What has its verdict keeps it, whatever comes after.
            guard board.rows[machine.id]?.verdict == .going else { break }
            board.update(machine, verdict: judge(machine, target), now: Date())
            tell(machine.id)
        case .listed:
            for target in order where !seen.contains(target.id) { remove(target.id) }
        case .delete(let id): remove(id)
        case .lost(let reason): tellNotice("\(reason); still waiting")
        }
        return !board.isSettled
    }

    private func remove(_ id: String) {
        guard let target = targets[id], board.rows[id]?.verdict == .going else { return }
        board.settle(id, judge(nil, target))
        tell(id)
    }

    private func tell(_ id: String) {
        guard region == nil else { return }
        for line in board.news(of: id) { Output.tell(line) }
    }

    private func tellNotice(_ notice: String?) {
        if region == nil, let notice, notice != board.notice { Output.tell(notice) }
        board.notice = notice
    }

    /// Draws until the time is up.
    func tick(for timeout: Duration) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: timeout)
        while clock.now < deadline {
            draw()
            try await clock.sleep(until: min(deadline, clock.now.advanced(by: .milliseconds(200))))
        }
    }

    private func draw() {
        guard let region, let size = Screen.notices.size else { return }
        region.draw(
            board.lines(
                width: size.width - 1, height: size.height - 1, now: Date(), painter: painter,
                isUnicode: Screen.isUnicode))
    }

    func finish() -> Waiting.Report {
        draw()
        region?.finish()
        return report
    }

    var report: Waiting.Report {
        Waiting.Report(
            outcomes: order.map { target in
                .init(
                    target: target, verdict: board.rows[target.id]?.verdict ?? .going, machine: machines[target.id])
            })
    }
}
