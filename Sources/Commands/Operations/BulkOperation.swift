import APIClient
import APIModel
import ArgumentParser
import Foundation
import Machines

/// One verb for many machines: selected, shown, confirmed, asked for, waited for. Until it is confirmed nothing is changed.
struct BulkOperation: Sendable {
    var verb: MachineVerb
    /// What is printed ahead of the question, beside the disks: `with release x into cluster y`.
    var headline: String
    /// Path below the machine's, and body, that tell the plan; nil: no disk is touched.
    var plan: (path: String, body: any Encodable & Sendable)?
    var request: any Encodable & Sendable

    private static let atOnce = 8

    func run(_ options: BulkOptions, _ format: FormatOption, _ connection: ConnectionOptions) async throws {
        let selection = try MachineSelection(expression: options.machines, labels: options.selector)
        try await connection.withClient { client in
            let all = try await client.machines()
            let chosen = try selection.select(from: all)
            let named = try selection.expression?.select(from: all.map(\.selectable)).named ?? []
            do {
                try BulkGuard.check(chosen, named: named, limit: options.max, verb: verb)
            } catch {
                Output.tell("\(error)")
                throw ExitStatus.failed.code
            }
            try await show(chosen, client)
            if options.dryRun { return Output.tell("nothing was done: --dry-run") }
            try Self.confirm(BulkGuard.question(verb, chosen), BulkGuard.answer(chosen), given: options.confirm)
            let operations = try await begin(chosen, client)
            if options.wait {
                let report = try await Waiting.follow(
                    chosen.filter { operations[$0.id] != nil }.map { .init(id: $0.id, name: $0.name) }, client: client,
                    timeout: options.timeout.duration, painter: format.noticePainter,
                    until: Waiting.operations(operations.mapValues(\.id)))
                try report.finish(after: options.timeout)
            }
            if format.isTable {
                for machine in chosen {
                    guard let operation = operations[machine.id] else { continue }
                    Output.print(
                        "\(machine.name): \(verb.rawValue) \(operation.id)\(options.wait ? " done" : " \(operation.state.rawValue)")"
                    )
                }
            } else {
                try format.write(chosen.compactMap { operations[$0.id] })
            }
            if operations.count < chosen.count { throw ExitStatus.failed.code }
        }
    }

    /// What would be done to each machine and disk. One obstacle stops all.
    private func show(_ machines: [MachineView], _ client: APIClient) async throws {
        let answers = try await Self.each(machines) { machine -> Result<WipePlanView?, ProblemView> in
            guard let plan else { return .success(nil) }
            do {
                return .success(
                    try await client.call(
                        .post, "/api/v1/machines/\(machine.id.escaped)/\(plan.path)", body: plan.body,
                        as: WipePlanView.self))
            } catch let problem as ProblemView {
                return .failure(problem)
            }
        }
        var obstacles = 0
        for (machine, answer) in zip(machines, answers) {
            let node = machine.node.map { ", node \($0)" } ?? ""
            Output.tell("\(machine.name) (\(machine.phase.rawValue)\(node)): \(verb.rawValue)\(headline)")
            switch answer {
            case .success(let plan): for line in plan?.lines ?? [] { Output.tell("    \(line)") }
            case .failure(let problem):
                obstacles += 1
                Output.tell("    cannot: \(problem.detail)")
            }
        }
        guard obstacles == 0 else {
            Output.tell("nothing was done: \(obstacles) of \(machines.count) machines cannot be \(verb.rawValue)d so")
            throw ExitStatus.failed.code
        }
    }

    /// - Throws: ``ExitCode`` when something else is typed, or nothing can be.
    static func confirm(_ question: String, _ wanted: String, given: String?) throws {
        let answer: String
        if let given {
            answer = given
        } else if isatty(STDIN_FILENO) == 1 {
            FileHandle.standardError.write(Data("\(Output.fit(question)): ".utf8))
            answer = readLine()?.trimmingCharacters(in: .whitespaces) ?? ""
        } else {
            Output.tell("\(question); without a terminal: --confirm \(wanted)")
            throw ExitStatus.failed.code
        }
        guard answer == wanted else {
            Output.tell("\(answer.debugDescription) is not \(wanted): nothing was done")
            throw ExitStatus.failed.code
        }
    }

    /// By machine id. What is refused is told, and the others go on.
    private func begin(_ machines: [MachineView], _ client: APIClient) async throws -> [String: OperationView] {
        let answers = try await Self.each(machines) { machine -> Result<OperationView, ProblemView> in
            do {
                return .success(
                    try await client.call(
                        .post, "/api/v1/machines/\(machine.id.escaped)/\(verb.rawValue)", body: request,
                        as: OperationView.self))
            } catch let problem as ProblemView {
                return .failure(problem)
            }
        }
        var operations: [String: OperationView] = [:]
        for (machine, answer) in zip(machines, answers) {
            switch answer {
            case .success(let operation): operations[machine.id] = operation
            case .failure(let problem): Output.tell("\(machine.name): \(problem.detail)")
            }
        }
        return operations
    }

    /// Some at once, in order.
    private static func each<Answer: Sendable>(
        _ machines: [MachineView], _ body: @escaping @Sendable (MachineView) async throws -> Answer
    ) async throws -> [Answer] {
        try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            var answers: [Int: Answer] = [:]
            for (index, machine) in machines.enumerated() {
                if index >= atOnce, let (done, answer) = try await group.next() { answers[done] = answer }
                group.addTask { (index, try await body(machine)) }
            }
            for try await (done, answer) in group { answers[done] = answer }
            return machines.indices.compactMap { answers[$0] }
        }
    }
}
