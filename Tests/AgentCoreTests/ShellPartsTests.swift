import APIModel
import Foundation
import Glibc
import TestSupport
import Testing

@testable import AgentCore

@Suite(.timeLimit(.minutes(1))) struct ShellPartsTests {
    @Test(
        "a line of /proc/PID/stat",
        arguments: [
            ("12 (sh) S 1 12 12 34816 30 4194304", ProcessTable.Entry(pid: 12, parent: 1, session: 12, state: "S")),
            ("7 (a) R (b) Z 3 4 5 0 -1", ProcessTable.Entry(pid: 7, parent: 3, session: 5, state: "Z")),
            ("7 (a) Z 3", nil), ("", nil), ("x (a) Z 3 4 5", nil), ("(", nil), (")", nil), ("1 )", nil),
        ] as [(String, ProcessTable.Entry?)])
    func stat(line: String, entry: ProcessTable.Entry?) { #expect(ProcessTable.entry(line) == entry) }

    @Test("descendants, over orphans of orphans and without an end in a circle")
    func descendants() {
        let table = ProcessTable(
            [(2, 1), (3, 2), (4, 3), (5, 1), (6, 6)].map { .init(pid: $0, parent: $1, session: 1, state: "S") })
        #expect(Set(table.descendants(of: 2).map(\.pid)) == [3, 4])
        #expect(Set(table.descendants(of: 1).map(\.pid)) == [2, 3, 4, 5])
        #expect(table.descendants(of: 6).isEmpty)
    }

    @Test("a prompt is a machine's name and nothing that a shell expands")
    func prompt() {
        #expect(ShellProgram.word("node-1.lab") == "node-1.lab")
        #expect(ShellProgram.word("$(reboot)`x`\\w é") == "rebootxw")
    }

    @Test("what was not sent is kept until there is no room, and what is kept by the daemon gives way first")
    func backlog() {
        var backlog = ShellBacklog()
        backlog.append(Array("hello".utf8))
        #expect(backlog.piece.position == 0 && backlog.piece.data == Data("hello".utf8))
        backlog.note(ShellReply(next: 5, kept: 0, isOver: false))
        #expect(backlog.isSent && backlog.oldest == 0)
        // A daemon that was killed knows less.
        backlog.note(ShellReply(next: 2, kept: 2, isOver: false))
        #expect(backlog.piece.position == 2 && backlog.piece.oldest == 2 && backlog.piece.data == Data("llo".utf8))
        backlog.note(ShellReply(next: 5, kept: 2, isOver: false))
        let chunk = [UInt8](repeating: 65, count: 16 << 10)
        while !backlog.isFull { backlog.append(chunk) }
        #expect(backlog.piece.position == 5, "nothing is dropped as long as there is room")
        backlog.append(chunk)
        #expect(backlog.piece.position > 5 && backlog.piece.position == backlog.oldest)
        // Nonsense of a daemon is no harm.
        backlog.note(ShellReply(next: .max, kept: .max, isOver: false))
        #expect(backlog.isSent && backlog.oldest == backlog.end)
        backlog.note(ShellReply(next: .min, kept: .min, isOver: false))
        #expect(backlog.isSent)
    }

    /// Takes what the shell prints, as a daemon that writes everything down.
    private final class Listener {
        let line: ShellLine
        var text = ""
        var end: String?

        init(_ line: ShellLine) { self.line = line }

        func take() {
            while let piece = line.piece {
                text += String(decoding: piece.data, as: UTF8.self)
                let next = piece.position + Int64(piece.data.count)
                line.note(ShellReply(next: next, kept: next, isOver: false))
                if let end = piece.end {
                    self.end = end
                    return
                }
            }
        }

        func says(_ words: String) async -> Bool {
            await eventually {
                take()
                return text.contains(words)
            }
        }

        func ends() async -> Bool {
            await eventually {
                take()
                return end != nil
            }
        }
    }

    private func shell(for time: Duration, _ directory: String) throws -> ShellLine {
        try ShellLine(ShellProgram(path: "/bin/sh", home: directory), named: "trial", for: time, reach: .session)
    }

    private func type(_ text: String, _ line: ShellLine) {
        line.type(ShellInput(epoch: "", next: 0, data: Data(text.utf8)))
    }

    @Test("a terminal: prompt, echo, window size, and the end by exit")
    func terminal() async throws {
        try await withTemporaryDirectory { directory in
            let line = try shell(for: .seconds(50), directory)
            let listener = Listener(line)
            #expect(await listener.says("trial:rescue# "))
            type("tty; pwd; echo $((6*7)); env | grep -c AGENT_SECRET\r", line)
            #expect(await listener.says("\r\n42\r\n0\r\n"), "\(listener.text)")
            #expect(listener.text.contains("/dev/pts/") && listener.text.contains(directory))
            line.type(ShellInput(epoch: "", next: 0, size: TerminalSize(rows: 33, columns: 101)))
            type("sleep 0.3; stty size\r", line)
            #expect(await listener.says("\r\n33 101\r\n"), "\(listener.text)")
            type("exit\r", line)
            #expect(await listener.ends())
            #expect(listener.end == ShellReason.left && line.ending == ShellReason.left)
        }
    }

    @Test("time over ends all that it started, also what ignores to be asked")
    func time() async throws {
        try await withTemporaryDirectory { directory in
            let line = try shell(for: .seconds(3), directory)
            let listener = Listener(line)
            type("set -m; sh -c 'trap \"\" HUP TERM; echo $$ > stubborn; while :; do sleep 1; done' & \r", line)
            type("sleep 1000 & echo $! > asleep\r", line)
            let ids = await eventually {
                listener.take()
                return FileManager.default.fileExists(atPath: directory + "/asleep")
                    && FileManager.default.fileExists(atPath: directory + "/stubborn")
            }
            try #require(ids, "\(listener.text)")
            #expect(await listener.ends())
            #expect(listener.end == ShellReason.time)
            for name in ["asleep", "stubborn"] {
                let text = try String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)
                let pid = try #require(pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)))
                let stat = SystemFiles().text("/proc/\(pid)/stat").flatMap { ProcessTable.entry($0) }
                #expect(stat == nil || stat?.state == "Z", "\(name) \(pid) goes on")
            }
        }
    }

    @Test("nobody listens: the shell is not held up for ever, and the newest output is there")
    func unheard() async throws {
        try await withTemporaryDirectory { directory in
            let line = try shell(for: .seconds(50), directory)
            type("head -c 3000000 /dev/zero | tr '\\0' x; echo; touch done; echo the en''d\r", line)
            let isDone = await eventually(within: .seconds(40)) {
                FileManager.default.fileExists(atPath: directory + "/done")
            }
            #expect(isDone)
            let first = try #require(line.piece)
            #expect(first.position > 0, "the oldest was dropped")
            let listener = Listener(line)
            #expect(await listener.says("the end"))
            line.end(because: "enough")
            #expect(await listener.ends())
            #expect(listener.end == "enough")
        }
    }

    @Test("a program that is not there ends the shell")
    func missing() async throws {
        let line = try ShellLine(
            ShellProgram(path: "/nowhere/sh", home: "/"), named: "x", for: .seconds(20), reach: .session)
        let listener = Listener(line)
        #expect(await listener.ends())
    }
}
