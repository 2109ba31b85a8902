import CAgent
import FoundationEssentials
import Glibc

/// A program run as a child of the agent, which may be PID 1: what it prints is caught, and its time is bounded.
enum ChildProgram {
    private static let outputLimit = 16_384

    static func run(_ path: String, _ arguments: [String], within limit: Duration) -> ProgramResult {
        var ends: [Int32] = [-1, -1]
        guard agent_pipe(&ends) == 0 else { return notStarted(path, errno) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO)
        var words = copies([path] + arguments)
        var environment = copies(["PATH=/usr/sbin:/usr/bin", "LC_ALL=C"])
        defer { for word in words + environment { free(word) } }
        var child = pid_t()
        let failed = posix_spawn(&child, path, &actions, nil, &words, &environment)
        close(ends[1])
        defer { close(ends[0]) }
        guard failed == 0 else { return notStarted(path, failed) }
        let deadline = ContinuousClock.now.advanced(by: limit)
        let output = read(ends[0], until: deadline)
        return ProgramResult(ending: end(of: child, until: deadline), output: output)
    }

    /// For execve(2): ended by a null pointer.
    private static func copies(_ words: [String]) -> [UnsafeMutablePointer<CChar>?] {
        words.map { word in word.withCString { strdup($0) } } + [nil]
    }

    private static func notStarted(_ path: String, _ error: Int32) -> ProgramResult {
        ProgramResult(ending: .notStarted("\(path) cannot be run: \(String(cString: strerror(error)))"), output: "")
    }

    /// Until the program closes its output, which it does at its end.
    private static func read(_ file: Int32, until deadline: ContinuousClock.Instant) -> String {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < deadline {
            var wanted = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            guard poll(&wanted, 1, 500) != 0 else { continue }
            let count = Glibc.read(file, &chunk, chunk.count)
            guard count > 0 else { break }
            if content.count < outputLimit { content += chunk.prefix(count) }
        }
        return String(decoding: content.prefix(outputLimit), as: UTF8.self)
    }

    private static func end(of child: pid_t, until deadline: ContinuousClock.Instant) -> ProgramResult.Ending {
        var status: Int32 = 0
        var isKilled = false
        var patience = deadline.advanced(by: .seconds(1))
        while waitpid(child, &status, WNOHANG) == 0 {
            if ContinuousClock.now > patience {
                // One that waits inside the kernel for its drive cannot be ended: it is left to itself.
                if isKilled { return .timeout }
                kill(child, SIGKILL)
                isKilled = true
                patience = ContinuousClock.now.advanced(by: .seconds(5))
            }
            usleep(2000)
        }
        if isKilled { return .timeout }
        return status & 0x7f == 0 ? .exit(status >> 8 & 0xff) : .signal(status & 0x7f)
    }
}
