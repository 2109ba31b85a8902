import Foundation
import TestSupport
import Testing

@Suite struct ChildProcessTests {
    @Test("a program inherits nothing but its three: somebody else's socket would stay open with it")
    func inheritsNothing() async throws {
        var ends: [Int32] = [-1, -1]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        let listing = try await ChildProcess.run("readlink", ends.map { "/proc/self/fd/\($0)" } + ["/proc/self/fd/1"])
        #expect(listing.output.hasPrefix("pipe:") && !listing.output.contains("socket:"), "\(listing.output)")
    }

    @Test("a killed program is dead at once, though another one holds its output")
    func killed() async throws {
        let child = try ChildProcess("sh", ["-c", "sleep 60 & echo pid $!; wait"])
        #expect(await child.says("pid "))
        let other = try #require(pid_t(child.output.split(separator: " ").last ?? ""))
        defer { kill(other, SIGKILL) }
        let started = ContinuousClock.now
        child.kill()
        #expect(ContinuousClock.now - started < .seconds(12))
        let state = try String(contentsOfFile: "/proc/\(child.pid)/stat", encoding: .utf8)
        #expect(state.contains(") Z ") && child.status == nil, "\(state)")
    }

    @Test("what a program says and how it ends", arguments: [("exit 3", Int32(3)), ("kill -TERM $$", Int32(128 + 15))])
    func status(words: String, expected: Int32) async throws {
        let ended = try await ChildProcess.run("sh", ["-c", "printf 'a\\nb'; " + words])
        #expect(ended.status == expected && ended.output == "a\nb", "\(ended)")
    }
}
