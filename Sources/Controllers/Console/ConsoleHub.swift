import FoundationEssentials
import Machines
import Synchronization

/// The serial consoles that somebody wants: people who look, and recordings of boots. Each machine's is opened once, for all of them.
public final class ConsoleHub: Sendable {
    /// What a viewer is given.
    public enum Output: Sendable {
        case bytes([UInt8])
        /// For the person: the console was opened, or lost and why.
        case note(String)
        /// It is over, and why: nothing comes after this.
        case end(String)
    }

    enum Input: Sendable {
        case bytes([UInt8])
        case serialBreak
    }

    private struct Line {
        var viewers: [Int: AsyncStream<Output>.Continuation] = [:]
        var input: AsyncStream<Input>.Continuation?
        var recording: ConsoleRecording?
        /// Recordings that ended and are not in the store.
        var finished: [ConsoleRecording] = []
        /// An attempt to boot was seen since the recording began.
        var hasAttempt = false
        /// The recording has what the store has not.
        var isUnsaved = false
        /// Until then the boot may go on.
        var recordUntil: Date?
        var isServed = false
        /// A person wants it from whoever has it.
        var takesOver = false
        /// It counts among ``ConsoleHub/mostRecorded``.
        var hasTurn = false
    }

    /// How long a boot may show no sign.
    static let patience: TimeInterval = 15 * 60
    /// What waits for a viewer who reads slowly; then it is cut off.
    private static let backlog = 1024

    /// Consoles that are open at once for recordings alone: each costs a session of its BMC, and up to 64 KiB of memory. When a whole row boots, the others
    /// wait for their turn.
    static let usualRecorded = 250

    private let mostRecorded: Int
    private let recorded = Atomic<Int>(0)
    private let lines = Mutex<[String: Line]>([:])
    private let nextViewer = Atomic<Int>(0)
    /// Machines whose console is wanted and not open.
    let demands: AsyncStream<String>
    private let demand: AsyncStream<String>.Continuation

    init(mostRecorded: Int = usualRecorded) {
        self.mostRecorded = mostRecorded
        (demands, demand) = AsyncStream.makeStream()
    }

    /// Looks at a machine's console from now on, until the stream is dropped.
    /// - Parameter takingOver: a console that somebody else has open, by other means than Slipway, is ended.
    public func attach(_ machine: String, takingOver: Bool = false) -> AsyncStream<Output> {
        let id = nextViewer.wrappingAdd(1, ordering: .relaxed).newValue
        let (stream, continuation) = AsyncStream.makeStream(
            of: Output.self, bufferingPolicy: .bufferingOldest(Self.backlog))
        continuation.onTermination = { [weak self] _ in
            self?.lines.withLock { lines in
                _ = lines[machine]?.viewers.removeValue(forKey: id)
            }
        }
        want(machine) { line in
            line.viewers[id] = continuation
            line.takesOver = takingOver
        }
        return stream
    }

    /// Types for the machine.
    /// - Returns: false when its console is not open, or does not take more now.
    public func send(_ bytes: [UInt8], to machine: String) -> Bool { send(.bytes(bytes), to: machine) }

    public func sendBreak(to machine: String) -> Bool { send(.serialBreak, to: machine) }

    private func send(_ input: Input, to machine: String) -> Bool {
        let continuation = lines.withLock { $0[machine]?.input }
        guard let continuation, case .enqueued = continuation.yield(input) else { return false }
        return true
    }

    /// A boot of the machine begins by a command of ours: record it.
    func record(_ machine: String, at now: Date) {
        want(machine) { line in
            Self.begin(&line, machine, at: now)
        }
    }

    /// A step of a boot was seen.
    /// - Parameter isFirst: it begins an attempt.
    func noteBoot(_ machine: String, isFirst: Bool, at now: Date) {
        want(machine) { line in
            if line.recording == nil || (isFirst && line.hasAttempt) { Self.begin(&line, machine, at: now) }
            if isFirst { line.hasAttempt = true }
            line.recordUntil = now.addingTimeInterval(Self.patience)
        }
    }

    private static func begin(_ line: inout Line, _ machine: String, at now: Date) {
        finish(&line, at: now)
        line.recording = ConsoleRecording(machine: machine, at: now)
        (line.hasAttempt, line.isUnsaved) = (false, false)
        line.recordUntil = now.addingTimeInterval(patience)
    }

    private static func finish(_ line: inout Line, at now: Date) {
        guard var recording = line.recording, !recording.tail.isEmpty else { return }
        recording.endedAt = now
        line.finished.append(recording)
        line.recording = nil
    }

    /// The recording that goes on.
    public func recording(of machine: String) -> ConsoleRecording? { lines.withLock { $0[machine]?.recording } }

    private func want(_ machine: String, _ body: (inout Line) -> Void) {
        let isNew = lines.withLock { lines in
            var line = lines[machine] ?? Line()
            body(&line)
            defer { lines[machine] = line }
            guard !line.isServed else { return false }
            line.isServed = true
            return true
        }
        if isNew { demand.yield(machine) }
    }

    // MARK: what the service tells

    /// Somebody looks, or a boot is being recorded.
    func isWanted(_ machine: String, at now: Date) -> Bool {
        lines.withLock { lines in
            guard let line = lines[machine] else { return false }
            return !line.viewers.isEmpty || line.recordUntil.map { now < $0 } ?? false
        }
    }

    /// An install goes on: its boot is not over.
    func extend(_ machine: String, at now: Date) {
        lines.withLock { lines in
            if lines[machine]?.recordUntil != nil {
                lines[machine]?.recordUntil = now.addingTimeInterval(Self.patience)
            }
        }
    }

    /// Once for each time that a person said so.
    func takesOver(_ machine: String) -> Bool {
        lines.withLock { lines in
            defer { lines[machine]?.takesOver = false }
            return lines[machine]?.takesOver ?? false
        }
    }

    /// Whether its console may be opened now. A person never waits.
    func takeTurn(_ machine: String) -> Bool {
        lines.withLock { lines in
            guard let line = lines[machine], line.viewers.isEmpty, !line.hasTurn else { return true }
            guard recorded.load(ordering: .relaxed) < mostRecorded else { return false }
            recorded.wrappingAdd(1, ordering: .relaxed)
            lines[machine]?.hasTurn = true
            return true
        }
    }

    /// The console is open: input goes there.
    func opened(_ machine: String) -> AsyncStream<Input> {
        let (stream, continuation) = AsyncStream.makeStream(of: Input.self, bufferingPolicy: .bufferingOldest(64))
        lines.withLock { $0[machine]?.input = continuation }
        return stream
    }

    func closed(_ machine: String) {
        let input = lines.withLock { lines in
            if lines[machine]?.hasTurn ?? false { recorded.wrappingSubtract(1, ordering: .relaxed) }
            lines[machine]?.hasTurn = false
            defer { lines[machine]?.input = nil }
            return lines[machine]?.input
        }
        input?.finish()
    }

    func publish(_ output: Output, of machine: String, at now: Date) {
        let viewers = lines.withLock { lines -> [AsyncStream<Output>.Continuation] in
            if case .bytes(let bytes) = output, lines[machine]?.recording != nil {
                lines[machine]?.recording?.append(bytes, at: now)
                lines[machine]?.isUnsaved = true
            }
            return Array((lines[machine]?.viewers ?? [:]).values)
        }
        for viewer in viewers {
            if case .dropped = viewer.yield(output) { viewer.finish() }
        }
    }

    /// Recordings that have what was not taken before.
    /// - Parameter ending: the one that goes on ends.
    func takeUnsaved(_ machine: String, ending: Bool, at now: Date) -> [ConsoleRecording] {
        lines.withLock { lines in
            guard var line = lines[machine] else { return [] }
            if ending { Self.finish(&line, at: now) }
            let unsaved = line.finished + (line.isUnsaved ? [line.recording].compactMap { $0 } : [])
            (line.finished, line.isUnsaved) = ([], false)
            lines[machine] = line
            return unsaved
        }
    }

    /// A person looks, not only a recording.
    func hasViewers(_ machine: String) -> Bool { lines.withLock { !($0[machine]?.viewers.isEmpty ?? true) } }

    /// Nobody wants it any more, or it cannot be had: viewers are told so.
    /// - Returns: false when somebody began to want it meanwhile, and it goes on.
    func end(_ machine: String, at now: Date, because words: String?) -> Bool {
        let viewers = lines.withLock { lines -> [AsyncStream<Output>.Continuation]? in
            guard let line = lines[machine] else { return [] }
            let isWanted = !line.viewers.isEmpty || line.recordUntil.map { now < $0 } ?? false
            if words == nil, isWanted { return nil }
            lines[machine] = nil
            return Array(line.viewers.values)
        }
        guard let viewers else { return false }
        for viewer in viewers {
            if let words { viewer.yield(.note(words)) }
            viewer.finish()
        }
        return true
    }
}
