import APIModel
import FoundationEssentials
import Logging
import Machines
import ServiceLifecycle
import Store

/// Rescue shells: carries bytes between agents and people, writes down what goes through them, and ends those whose order is void.
public struct ShellService: Service {
    let store: any RecordStore
    let installation: Installation
    let logger: Logger
    let now: @Sendable () -> Date
    let hub = ShellHub()

    /// Between two looks at the orders of open shells.
    private static let rest: Duration = .milliseconds(500)
    /// Looks between two writes of a recording that goes on.
    private static let saving = 4
    /// No shell prints so much; a position beyond it is none.
    private static let farthest: Int64 = 1 << 50

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var isLoaded = false
            var turn = 0
            while !Task.isCancelled {
                do {
                    // What a daemon before this one left open goes on, or ends now.
                    if !isLoaded {
                        let open = try await store.compactMap(ShellRecording.self) { $0.endedAt == nil ? $0 : nil }
                        for recording in open {
                            if hub.recording(of: recording.machine) == nil {
                                hub.open(recording, session: "", at: now())
                            }
                        }
                        isLoaded = true
                    }
                    turn += 1
                    for seen in hub.all { try await tend(seen, saves: turn % Self.saving == 0) }
                } catch is CancellationError {
                } catch {
                    logger.warning("rescue shells are not looked after", metadata: ["error": "\(error)"])
                }
                try? await Task.sleep(for: Self.rest)
            }
        }
        for seen in hub.all where seen.isUnsaved { try? await save(seen.recording) }
    }

    private func tend(_ seen: ShellHub.Seen, saves: Bool) async throws {
        let operation = try await store.get(Operation.self, seen.operation)
        let machine = try await store.get(Machine.self, seen.machine)
        let isOver = operation.map { !goesOn($0, machine) } ?? true
        let isReplaced = seen.recording.map { $0.id != operation?.order?.id } ?? false
        if isOver || isReplaced {
            let words = isOver ? words(for: operation) : "the machine began another session"
            if let recording = hub.end(seen, words, rescueIsOver: isOver) {
                try await save(recording, end: words, by: operation?.abortedBy ?? "lifecycle")
            }
        } else if saves, seen.isUnsaved {
            try await save(seen.recording)
        }
    }

    private func words(for operation: Operation?) -> String {
        guard let operation else { return "the machine is forgotten" }
        if let person = operation.abortedBy { return "\(person) ended it" }
        if let end = operation.rescueEnd, operation.finishedAt ?? now() >= end { return "its time is over" }
        return operation.error ?? "it was left"
    }

    private func goesOn(_ operation: Operation, _ machine: Machine?) -> Bool {
        guard operation.verb == .rescue, !operation.isFinished, operation.abortedBy == nil,
            operation.carriedOutAt == nil, let machine, machine.observed.operation == operation.id
        else { return false }
        return operation.rescueEnd.map { now() < $0 } ?? true
    }

    // MARK: the agent

    /// Takes what a shell printed.
    public func take(_ output: ShellOutput, order: String, from session: AgentSession) async throws -> ShellReply {
        guard output.data.count <= ShellOutput.most, (0...Self.farthest).contains(output.position),
            output.end?.utf8.count ?? 0 <= 200
        else { throw ServiceError(.invalid, "this is no output of a shell") }
        guard try await opens(order, session),
            let taken = hub.publish(output, order: order, of: session.machine)
        else { return ShellReply(next: output.position + Int64(output.data.count), kept: 0, isOver: true) }
        // The end is told once all of it is here.
        guard let end = output.end, taken.next == output.position + Int64(output.data.count) else {
            return ShellReply(next: taken.next, kept: taken.kept, isOver: false)
        }
        if let seen = hub.all.first(where: { $0.machine == session.machine && $0.recording?.id == order }) {
            let typist = seen.recording?.typed.last?.by
            let words = end == ShellReason.left ? "\(typist ?? "somebody") left it" : end
            if let recording = hub.end(seen, words, rescueIsOver: true) {
                try await save(recording, end: words, by: end == ShellReason.left ? typist ?? "agent" : "agent")
            }
        }
        return ShellReply(next: taken.next, kept: taken.next, isOver: true)
    }

    /// What was typed for a shell, when something was.
    public func input(
        order: String, epoch: String, after: Int64, from session: AgentSession
    ) async throws -> ShellInput {
        let seconds = min(installation.pollSeconds, 20)
        guard try await opens(order, session),
            let input = await hub.input(
                order, of: session.machine, epoch: epoch, after: after, within: .seconds(seconds))
        else { return ShellInput(epoch: epoch, next: after, isOver: true) }
        return input
    }

    /// Whether the session holds this order, and its shell may go on. The first call opens it.
    private func opens(_ order: String, _ session: AgentSession) async throws -> Bool {
        if hub.isOpen(order, of: session.machine, session: session.id) { return true }
        let now = now()
        let recording = try await store.transaction { transaction -> ShellRecording? in
            guard let machine = try await transaction.get(Machine.self, session.machine),
                let id = machine.observed.operation, let operation = try await transaction.get(Operation.self, id),
                operation.order?.id == order, operation.order?.session == session.id, operation.step == .rescue,
                goesOn(operation, machine)
            else { return nil }
            if let former = try await transaction.get(ShellRecording.self, order) {
                return former.endedAt == nil ? former : nil
            }
            let recording = ShellRecording(
                id: order, machine: machine.id, operation: id, requestedBy: operation.requestedBy, at: now)
            let until = operation.rescueEnd.map { " until \($0.formatted(.iso8601))" } ?? ""
            try transaction.put(recording)
            try transaction.put(
                Event.now(
                    .shellOpened, machine: machine.id, actor: operation.requestedBy,
                    "\(machine.name): rescue shell opened by \(operation.requestedBy)\(until)",
                    details: ["operation": id, "order": order], at: now))
            return recording
        }
        guard let recording else { return false }
        hub.open(recording, session: session.id, at: now)
        return true
    }

    // MARK: people

    /// Looks at a machine's rescue shell, which may not be open yet.
    /// - Throws: ``ServiceError`` `conflict` when no rescue of it goes on.
    public func attach(_ machine: Machine, by person: String) async throws -> AsyncStream<ConsoleHub.Output> {
        guard let id = machine.observed.operation, let operation = try await store.get(Operation.self, id),
            goesOn(operation, machine)
        else { throw none(machine) }
        let now = now()
        try await store.transaction { transaction in
            try transaction.put(
                Event.now(
                    .shellAttached, machine: machine.id, actor: person,
                    "\(machine.name): \(person) looks at the rescue shell", details: ["operation": id], at: now))
        }
        return hub.attach(machine.id, operation: id, by: person, at: now)
    }

    /// Types for a machine's rescue shell. It is written down who typed what before the agent gets it.
    public func type(_ bytes: Data, to machine: Machine, by person: String) async throws {
        guard let recording = hub.note(bytes, for: machine.id, by: person, at: now()) else {
            guard hub.recording(of: machine.id) != nil else { throw none(machine) }
            throw ServiceError(
                .conflict, "the agent of \(machine.name) does not fetch what is typed; is the machine still there?")
        }
        try await save(recording)
        guard hub.type(bytes, into: recording) else { throw none(machine) }
    }

    public func resize(_ machine: Machine, to size: TerminalSize) { hub.resize(machine.id, to: size) }

    private func none(_ machine: Machine) -> ServiceError {
        ServiceError(
            .conflict, "\(machine.name) has no rescue shell open; `slipway machine rescue \(machine.name)` asks for one"
        )
    }

    /// What went through a machine's rescue shells, the newest last.
    public func recordings(of machine: String) async throws -> [ShellRecording] {
        let current = hub.recording(of: machine)
        return try await store.compactMap(ShellRecording.self) { $0.machine == machine ? $0 : nil }
            .map { recording in current.flatMap { $0.id == recording.id ? $0 : nil } ?? recording }
            .sorted { $0.startedAt < $1.startedAt }
    }

    /// Writes what was recorded, and forgets the machine's oldest recordings.
    /// - Parameter end: why it is over; nil: it goes on.
    private func save(_ recording: ShellRecording?, end: String? = nil, by person: String = "") async throws {
        guard var recording else { return }
        let now = now()
        if let end { recording.finish(end, at: now) }
        // What is past its use is looked for once, not with each key.
        let others =
            end == nil
            ? []
            : try await recordings(of: recording.machine).filter { $0.id != recording.id && $0.endedAt != nil }
        let saved = recording
        try await store.transaction { transaction in
            // What ended stays as it is, and a newer one too: it has all that this one has.
            if let former = try await transaction.get(ShellRecording.self, saved.id) {
                guard former.endedAt == nil else { return }
                guard end != nil || former.position <= saved.position && former.typedBytes <= saved.typedBytes else {
                    return
                }
            }
            try transaction.put(saved)
            for old in others.dropLast(ShellRecording.kept - 1) { transaction.delete(ShellRecording.self, old.id) }
            guard let end, let machine = try await transaction.get(Machine.self, saved.machine) else { return }
            try transaction.put(
                Event.now(
                    .shellEnded, machine: machine.id, actor: person, "\(machine.name): rescue shell ended: \(end)",
                    details: ["operation": saved.operation, "order": saved.id], at: now))
        }
        hub.noteKept(saved)
    }
}
