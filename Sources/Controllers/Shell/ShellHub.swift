import APIModel
import FoundationEssentials
import Machines
import Synchronization

/// The rescue shells that are open, between agents and people. Nothing here waits for anybody: a viewer who reads too slowly is cut off, and
/// keys for an agent that does not fetch them are refused.
final class ShellHub: Sendable {
    typealias Output = ConsoleHub.Output

    private struct Viewer {
        let person: String
        let continuation: AsyncStream<Output>.Continuation
    }

    /// One machine's.
    private struct Line {
        let operation: String
        var viewers: [Int: Viewer] = [:]
        /// Of the shell that is open; nil: its agent has not called.
        var recording: ShellRecording?
        /// The session that holds the order.
        var session = ""
        /// Position up to which the store has the recording.
        var kept: Int64 = 0
        var isUnsaved = false
        /// Keys that the agent does not have, or has not said that it has.
        var input = Data()
        var inputEnd: Int64 = 0
        /// Of this daemon and this shell.
        var epoch = Credential.identifier("epoch")
        var size: TerminalSize?
        var isSizeNew = false
        /// Wakes the agent's call.
        var waiter: AsyncStream<Void>.Continuation?

        init(operation: String) { self.operation = operation }
    }

    /// A shell that is open, or waited for.
    struct Seen: Sendable {
        var machine: String
        var operation: String
        var recording: ShellRecording?
        var session: String
        var isUnsaved: Bool
    }

    /// What waits for a viewer who reads slowly; then it is cut off.
    private static let backlog = 1024
    /// Bytes of keys that wait for the agent.
    private static let inputLimit = 16 << 10
    /// Bytes of what was printed last, for a person who comes later.
    private static let remembered = 4096

    /// Nobody who reads is told anything under this lock: whoever wakes a viewer waits for the lock of its task, which a canceller of that task holds until the viewer
    /// is taken out of here.
    private let lines = Mutex<[String: Line]>([:])
    /// Held from a change of the lines until viewers are told: they read in order.
    private let telling = Mutex(())
    private let nextViewer = Atomic<Int>(0)

    // MARK: people

    /// Looks at the shell of a machine's rescue from now on, until the stream is dropped.
    func attach(_ machine: String, operation: String, by person: String, at now: Date) -> AsyncStream<Output> {
        let id = nextViewer.wrappingAdd(1, ordering: .relaxed).newValue
        let (stream, continuation) = AsyncStream.makeStream(
            of: Output.self, bufferingPolicy: .bufferingOldest(Self.backlog))
        continuation.onTermination = { [weak self] _ in
            self?.lines.withLock { _ = $0[machine]?.viewers.removeValue(forKey: id) }
        }
        let late = lines.withLock { lines in
            var (line, late) = Self.line(of: operation, lines[machine])
            line.viewers[id] = Viewer(person: person, continuation: continuation)
            if let recording = line.recording {
                line.recording?.visit(by: person, at: now)
                line.isUnsaved = true
                continuation.yield(.note("rescue shell open"))
                if !recording.tail.isEmpty { continuation.yield(.bytes(Array(recording.tail.suffix(Self.remembered)))) }
            } else {
                continuation.yield(.note("waiting for the agent"))
            }
            lines[machine] = line
            return late
        }
        for viewer in late { viewer.continuation.finish() }
        return stream
    }

    /// Takes down what somebody is about to type.
    /// - Returns: the recording with it; nil when the shell is not open, or its agent does not fetch what was typed before.
    func note(_ bytes: Data, for machine: String, by person: String, at now: Date) -> ShellRecording? {
        lines.withLock { lines in
            guard let line = lines[machine], line.recording != nil, line.input.count + bytes.count <= Self.inputLimit
            else { return nil }
            lines[machine]?.recording?.type(bytes, by: person, at: now)
            lines[machine]?.isUnsaved = true
            return lines[machine]?.recording
        }
    }

    /// Gives what was taken down to this shell's agent.
    /// - Returns: false when the shell is over.
    func type(_ bytes: Data, into shell: ShellRecording) -> Bool {
        let line = lines.withLock { lines -> Line? in
            guard var line = lines[shell.machine], line.recording?.id == shell.id else { return nil }
            line.input += bytes
            line.inputEnd += Int64(bytes.count)
            lines[shell.machine] = line
            return line
        }
        line?.waiter?.yield()
        return line != nil
    }

    func resize(_ machine: String, to size: TerminalSize) {
        let waiter = lines.withLock { lines -> AsyncStream<Void>.Continuation? in
            guard lines[machine] != nil, lines[machine]?.size != size else { return nil }
            lines[machine]?.size = size
            lines[machine]?.isSizeNew = true
            return lines[machine]?.waiter
        }
        waiter?.yield()
    }

    // MARK: the agent

    /// Whether this order's shell is known to be open for this session.
    func isOpen(_ order: String, of machine: String, session: String) -> Bool {
        lines.withLock { $0[machine].map { $0.recording?.id == order && $0.session == session } ?? false }
    }

    /// A shell is open; what was printed of it before goes on.
    func open(_ recording: ShellRecording, session: String, at now: Date) {
        telling.withLock { _ in
            let (viewers, late) = lines.withLock { lines -> ([Viewer], late: [Viewer]) in
                guard lines[recording.machine]?.recording?.id != recording.id else {
                    lines[recording.machine]?.session = session
                    return ([], [])
                }
                var (line, late) = Self.line(of: recording.operation, lines[recording.machine])
                (line.recording, line.session, line.kept) = (recording, session, recording.position)
                (line.input, line.inputEnd, line.epoch) = (Data(), 0, Credential.identifier("epoch"))
                line.isSizeNew = line.size != nil
                for viewer in line.viewers.values {
                    line.recording?.visit(by: viewer.person, at: now)
                    line.isUnsaved = true
                }
                lines[recording.machine] = line
                return (Array(line.viewers.values), late)
            }
            for viewer in viewers { viewer.continuation.yield(.note("rescue shell open")) }
            for viewer in late { viewer.continuation.finish() }
        }
    }

    /// - Returns: where the next output is to begin, and what is kept; nil when no such shell is open.
    func publish(_ output: ShellOutput, order: String, of machine: String) -> (next: Int64, kept: Int64)? {
        telling.withLock { _ in
            let (taken, new, viewers) = lines.withLock {
                lines -> ((next: Int64, kept: Int64)?, Data, [Viewer]) in
                guard var line = lines[machine], var recording = line.recording, recording.id == order else {
                    return (nil, Data(), [])
                }
                // A daemon before this one had more: the agent says it again, as far as it still has it.
                if output.position > recording.position, output.oldest < output.position {
                    return ((recording.position, line.kept), Data(), [])
                }
                let new = recording.append(output.data, at: output.position)
                if !new.isEmpty { (line.recording, line.isUnsaved) = (recording, true) }
                lines[machine] = line
                return ((recording.position, line.kept), new, Array(line.viewers.values))
            }
            for viewer in viewers where !new.isEmpty {
                if case .dropped = viewer.continuation.yield(.bytes(Array(new))) { viewer.continuation.finish() }
            }
            return taken
        }
    }

    /// What was typed behind `after`, at once or when something is, at the latest after `limit`; nil when no such shell is open.
    func input(
        _ order: String, of machine: String, epoch: String, after: Int64, within limit: Duration
    ) async -> ShellInput? {
        let (wakes, waker) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let former = lines.withLock { lines in
            defer { lines[machine]?.waiter = waker }
            return lines[machine]?.waiter
        }
        former?.finish()
        let first = news(order, machine, epoch, after)
        guard first.hasNews == false else { return first.input }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in wakes { return } }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        return news(order, machine, epoch, after).input
    }

    private func news(
        _ order: String, _ machine: String, _ epoch: String, _ after: Int64
    ) -> (input: ShellInput?, hasNews: Bool) {
        lines.withLock { lines in
            guard var line = lines[machine], line.recording?.id == order else { return (nil, true) }
            let begin = line.inputEnd - Int64(line.input.count)
            if line.epoch == epoch, (begin...line.inputEnd).contains(after) {
                line.input = Data(line.input.dropFirst(Int(after - begin)))
            }
            let hasNews = !line.input.isEmpty || line.isSizeNew || line.epoch != epoch
            line.isSizeNew = false
            lines[machine] = line
            return (
                ShellInput(epoch: line.epoch, next: line.inputEnd, data: line.input, size: line.size), hasNews
            )
        }
    }

    // MARK: the service

    var all: [Seen] {
        lines.withLock { lines in
            lines.map { machine, line in
                Seen(
                    machine: machine, operation: line.operation, recording: line.recording, session: line.session,
                    isUnsaved: line.isUnsaved)
            }
        }
    }

    /// The recording that goes on.
    func recording(of machine: String) -> ShellRecording? { lines.withLock { $0[machine]?.recording } }

    /// The store has this.
    func noteKept(_ recording: ShellRecording) {
        lines.withLock { lines in
            guard var line = lines[recording.machine], line.recording?.id == recording.id else { return }
            line.kept = max(line.kept, recording.position)
            line.isUnsaved = line.recording != recording
            lines[recording.machine] = line
        }
    }

    /// The shell is over, and what was typed and not fetched is void.
    /// - Parameter rescueIsOver: people are told so and leave; else they wait for the next shell of the same rescue.
    /// - Returns: its recording.
    func end(_ seen: Seen, _ words: String, rescueIsOver: Bool) -> ShellRecording? {
        telling.withLock { _ in
            let line = lines.withLock { lines -> Line? in
                guard let line = lines[seen.machine], line.operation == seen.operation,
                    line.recording?.id == seen.recording?.id
                else { return nil }
                if rescueIsOver {
                    lines[seen.machine] = nil
                } else {
                    lines[seen.machine]?.recording = nil
                }
                return line
            }
            line?.waiter?.finish()
            for viewer in line?.viewers.values ?? [:].values {
                let notice = "rescue shell ended: \(words)"
                viewer.continuation.yield(rescueIsOver ? .end(notice) : .note(notice))
                if rescueIsOver { viewer.continuation.finish() }
            }
            return line?.recording
        }
    }

    /// The line of this rescue, and the viewers of another one: they are let go outside of the lock, which their leaving takes.
    private static func line(of operation: String, _ former: Line?) -> (Line, late: [Viewer]) {
        if let former, former.operation == operation { return (former, []) }
        return (Line(operation: operation), Array((former?.viewers ?? [:]).values))
    }
}
