import APIModel
import FoundationEssentials
import Glibc

/// Carries a shell's bytes to the daemon and what people type back. A daemon that is killed is waited for: the shell goes on.
struct ShellCarrier {
    let line: ShellLine
    let session: AgentSessionClient
    let order: String

    /// Pieces of output are this far apart, so that a line is not a call for each letter.
    private static let gathering: Duration = .milliseconds(15)

    /// - Returns: why the shell ended.
    /// - Throws: ``AgentSessionClient/Over``; the shell has ended then, too.
    func run() async throws -> String {
        do {
            try await withThrowingTaskGroup(of: Bool.self) { group in
                group.addTask {
                    try await type()
                    return false
                }
                group.addTask {
                    try await send()
                    return true
                }
                defer { group.cancelAll() }
                // All is done once all output is sent; typing may end before that.
                while try await group.next() == false {}
            }
        } catch {
            // A shell is never left alone.
            let line = line
            line.end(because: "the session is over")
            try await AgentThread.perform("shell's end") { while line.ending == nil { usleep(20_000) } }
            throw error
        }
        return line.ending ?? ""
    }

    private func send() async throws {
        for await _ in line.news {
            try await sendAll()
            try await Task.sleep(for: Self.gathering)
        }
        try await sendAll()
    }

    private func sendAll() async throws {
        while let piece = line.piece {
            let reply = try await session.send(piece, order: order)
            line.note(reply)
            if reply.isOver {
                line.end(because: "its order is over")
                return
            }
        }
    }

    private func type() async throws {
        var (epoch, after): (String, Int64) = ("", 0)
        while line.ending == nil {
            guard line.takesInput else {
                try await Task.sleep(for: .milliseconds(50))
                continue
            }
            let input = try await session.shellInput(order: order, epoch: epoch, after: after)
            if input.isOver {
                line.end(because: "its order is over")
                return
            }
            (epoch, after) = (input.epoch, input.next)
            line.type(input)
        }
    }
}
