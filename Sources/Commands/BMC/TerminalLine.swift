import APIClient
import APIModel
import Foundation
import Synchronization

/// A person's terminal on a line that the daemon has to a machine: its serial console, or its rescue shell.
struct TerminalLine: Sendable {
    /// What goes to the machine.
    enum Action: Sendable {
        case send([UInt8])
        case sendBreak
    }

    let client: APIClient
    /// Of the stream of ``ConsoleChunk``.
    let path: String
    let isReadOnly: Bool
    /// What was cut off is begun anew until the line is over: its daemon may be killed.
    let isPersistent: Bool
    let send: @Sendable (Action) async throws -> Void
    /// Told how large the terminal is, at the beginning and when that changes.
    var resize: (@Sendable (TerminalSize) async throws -> Void)?

    /// Returns when the person leaves, or the line is over.
    func run() async throws {
        let terminal = isReadOnly ? nil : Terminal()
        defer { terminal?.restore() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await show() }
            if !isReadOnly { group.addTask { try await type() } }
            if let resize, !isReadOnly { group.addTask { try await follow(resize) } }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private func show() async throws {
        let isOver = Mutex(false)
        var wasThere = false
        while true {
            do {
                try await client.watch(path, as: ConsoleChunk.self) { event in
                    guard case .put(let chunk) = event else { return true }
                    if let data = chunk.data { FileHandle.standardOutput.write(data) }
                    // The terminal is raw: a line does not return by itself.
                    if let note = chunk.note { Terminal.tell(Output.fit("[\(note)]")) }
                    if chunk.isOver == true { isOver.withLock { $0 = true } }
                    return chunk.isOver != true
                }
                guard isPersistent, !isOver.withLock({ $0 }) else { return }
            } catch let error as ClientError where isPersistent {
                try Task.checkCancellation()
                Terminal.tell(Output.fit("[\(error); trying again]"))
            } catch let problem as ProblemView where wasThere && problem.status == 409 {
                return Terminal.tell(Output.fit("[\(problem.detail)]"))
            }
            wasThere = true
            try await Task.sleep(for: .seconds(1))
        }
    }

    /// Sends what is typed, until the person leaves or the input ends.
    private func type() async throws {
        var keys = ConsoleKeys()
        for await bytes in Terminal.input() {
            for action in keys.feed(bytes) {
                do {
                    switch action {
                    case .send(let bytes): try await send(.send(bytes))
                    case .sendBreak: try await send(.sendBreak)
                    case .leave: return
                    }
                } catch  where isPersistent && !(error is CancellationError) {
                    Terminal.tell(Output.fit("[not sent: \((error as? ProblemView)?.detail ?? "\(error)")]"))
                }
            }
        }
        // A pipe that ended: what the machine answers is still to be seen.
        try await Task.sleep(for: .seconds(3600 * 24))
    }

    private func follow(_ resize: @Sendable (TerminalSize) async throws -> Void) async throws {
        var told: TerminalSize?
        while true {
            // One that was not taken is told again: the next look is near.
            if let size = Terminal.size, size != told, (try? await resize(size)) != nil { told = size }
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
