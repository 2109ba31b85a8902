import Foundation
import Synchronization

/// A program that a test runs, with the lines it has said so far. Written on `posix_spawn`: pipes of Foundation's `Process` are
/// inherited by whatever else is started at the same time, and then end with that.
public final class ChildProcess: Sendable {
    private struct State {
        var lines: [String] = []
        var partial: [UInt8] = []
        /// Exit status, or 128 and the signal; nil while it runs or has something to say.
        var status: Int32?
    }

    private let state = Mutex(State())
    /// Held from the making of a pipe until it is closed on exec.
    private static let spawning = Mutex(())
    /// Its header hides it from Swift behind _GNU_SOURCE.
    private static let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        unsafeBitCast(
            $0, to: (@convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32).self)
    }
    public let pid: pid_t
    public let arguments: [String]

    /// Starts `program`, found in PATH unless it is a path, with its standard output and error read together.
    public init(_ program: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        let settings = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var child = pid_t()
        let (failed, ends) = Self.spawning.withLock { _ in
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { return (errno, ends) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
            posix_spawn_file_actions_adddup2(&actions, ends[1], 2)
            // SwiftNIO's sockets are not closed on exec: a connection would stay open for as long as some other test's child lives.
            _ = Self.closeFrom?(&actions, 3)
            // Threads of Swift's pool block signals, and a child would inherit that.
            var (attributes, signals) = (posix_spawnattr_t(), sigset_t())
            posix_spawnattr_init(&attributes)
            defer { posix_spawnattr_destroy(&attributes) }
            posix_spawnattr_setsigmask(&attributes, &signals)
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
            let failed = Self.withStrings([program] + arguments) { arguments in
                Self.withStrings(settings) { posix_spawnp(&child, program, &actions, &attributes, arguments, $0) }
            }
            return (failed, ends)
        }
        close(ends[1])
        guard failed == 0 else {
            close(ends[0])
            throw POSIXError(POSIXErrorCode(rawValue: failed) ?? .EIO, userInfo: [NSFilePathErrorKey: program])
        }
        (pid, self.arguments) = (child, arguments)
        let output = ends[0]
        Thread.detachNewThread { self.follow(output) }
    }

    /// Reads to the end of the output, then waits for the end of the process.
    private func follow(_ output: Int32) {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(output, &buffer, buffer.count)
            guard count > 0 else { break }
            state.withLock { state in
                state.partial += buffer[..<count]
                while let end = state.partial.firstIndex(of: 10) {
                    state.lines.append(String(decoding: state.partial[..<end], as: UTF8.self))
                    state.partial.removeSubrange(...end)
                }
            }
        }
        close(output)
        waitForEnd()
        state.withLock { state in
            // Under the lock: nobody sends a signal to the number of a process that is not there any more.
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
            if !state.partial.isEmpty { state.lines.append(String(decoding: state.partial, as: UTF8.self)) }
            state.status = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
        }
    }

    /// Until the process is dead; whoever reaps it, and whoever still holds its output.
    private func waitForEnd() {
        var information = siginfo_t()
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) < 0, errno == EINTR {}
    }

    public var lines: [String] { state.withLock { $0.lines } }
    public var output: String { lines.joined(separator: "\n") }
    /// Exit status, or 128 and the signal; nil while it runs.
    public var status: Int32? { state.withLock { $0.status } }

    /// SIGKILL, and the wait for the end. Its output may go on: a backtracer that was started when it crashed holds it too.
    public func kill() {
        state.withLock { if $0.status == nil { _ = Foundation.kill(pid, SIGKILL) } }
        waitForEnd()
    }

    /// Whether a line with this text came in time.
    public func says(_ text: String, within limit: Duration = .seconds(30)) async -> Bool {
        await eventually(within: limit, every: .milliseconds(2)) { lines.contains { $0.contains(text) } }
    }

    /// The exit status once it has ended; nil when it did not in time, and was killed.
    public func ended(within limit: Duration = .seconds(60)) async -> Int32? {
        guard await eventually(within: limit, every: .milliseconds(2), { status != nil }) else {
            kill()
            return nil
        }
        return status
    }

    /// Runs a program to its end.
    /// - Returns: its exit status and what it said.
    public static func run(_ program: String, _ arguments: [String], environment: [String: String] = [:]) async throws
        -> (status: Int32?, output: String)
    {
        let child = try ChildProcess(program, arguments, environment: environment)
        let status = await child.ended()
        return (status, child.output)
    }

    /// Writes a shell script that can be run. By another process: a file that this one writes may be inherited, open, by a
    /// program that is started at that moment, and cannot be executed until that ends (ETXTBSY).
    public static func writeScript(_ text: String, to path: String) async throws {
        let script = "cat >\"$0\" <<'END-OF-SCRIPT'\n#!/bin/sh\n\(text)\nEND-OF-SCRIPT\nchmod 0755 \"$0\""
        let answer = try await run("sh", ["-c", script, path])
        guard answer.status == 0 else { throw POSIXError(.EIO, userInfo: [NSFilePathErrorKey: path]) }
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return body(&pointers)
    }
}
