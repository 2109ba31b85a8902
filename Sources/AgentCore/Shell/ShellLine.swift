import APIModel
import CAgent
import FoundationEssentials
import Glibc
import Synchronization

/// A shell on a terminal of its own, with a thread that reads and writes it until it is over. Then all that it started is ended.
final class ShellLine: Sendable {
    /// Whose end the shell's end is.
    enum Reach: Sendable {
        /// Whatever this process has below itself: it started nothing else. A program that leaves the shell's session is among them.
        case everyChild
        /// The shell's session, and what descends from the shell.
        case session
    }

    private struct State {
        var backlog = ShellBacklog()
        var input: [UInt8] = []
        var size: TerminalSize?
        /// Why it is to end.
        var wanted: String?
        /// Why it ended.
        var end: String?
    }

    /// How long a full backlog holds the shell up before its output is dropped.
    private static let patience: Duration = .seconds(5)
    /// Bytes of input that wait for the shell.
    private static let inputLimit = 16 << 10

    private let state = Mutex(State())
    private let terminal: Int32
    private let shell: pid_t
    private let reach: Reach
    private let deadline: ContinuousClock.Instant
    /// Wakes the thread.
    private let wake: (read: Int32, write: Int32)
    /// Something was printed, or the shell ended.
    let news: AsyncStream<Void>
    private let newsman: AsyncStream<Void>.Continuation

    /// - Throws: ``InstallError`` when no terminal or no shell can be had.
    init(_ program: ShellProgram, named machine: String, for time: Duration, reach: Reach) throws {
        var ends: [Int32] = [-1, -1]
        guard agent_pipe(&ends) == 0 else { throw InstallError.system("make", "a pipe") }
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        wake = (ends[0], ends[1])
        var words = Self.copies([program.path])
        var environment = Self.copies(program.environment(named: machine))
        defer { for word in words + environment { free(word) } }
        if reach == .everyChild { _ = agent_adopt_orphans() }
        var child = pid_t()
        terminal = agent_shell_start(program.path, &words, &environment, program.home, &child)
        guard terminal >= 0 else {
            let error = InstallError.system("start", program.path)
            for end in ends { close(end) }
            throw error
        }
        (shell, self.reach, deadline) = (child, reach, ContinuousClock.now.advanced(by: time))
        (news, newsman) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        AgentThread.start("shell") { self.run() }
    }

    /// For execve(2): ended by a null pointer.
    private static func copies(_ words: [String]) -> [UnsafeMutablePointer<CChar>?] {
        words.map { word in word.withCString { strdup($0) } } + [nil]
    }

    deinit {
        close(wake.read)
        close(wake.write)
    }

    // MARK: from other threads

    /// The next piece of output; the last one says why the shell ended. Nil: there is none now.
    var piece: ShellOutput? {
        state.withLock { state in
            var piece = state.backlog.piece
            guard !piece.data.isEmpty || state.end != nil else { return nil }
            if piece.position + Int64(piece.data.count) == state.backlog.end { piece.end = state.end }
            return piece
        }
    }

    func note(_ reply: ShellReply) {
        state.withLock { $0.backlog.note(reply) }
        wakeUp()
    }

    /// False while it has no room for more.
    var takesInput: Bool { state.withLock { $0.input.count < Self.inputLimit } }

    func type(_ input: ShellInput) {
        state.withLock { state in
            state.input += input.data
            if let size = input.size { state.size = size }
        }
        wakeUp()
    }

    func end(because words: String) {
        state.withLock { $0.wanted = $0.wanted ?? words }
        wakeUp()
    }

    /// Why it ended; nil while it goes on.
    var ending: String? { state.withLock { $0.end } }

    private func wakeUp() {
        var byte: UInt8 = 0
        _ = write(wake.write, &byte, 1)
    }

    // MARK: the thread

    private func run() {
        let reason = serve()
        let survivors = endAll()
        while readOutput() {}
        close(terminal)
        state.withLock { state in
            state.end = survivors == 0 ? reason : "\(reason); \(survivors) of its processes hang in the kernel"
        }
        newsman.finish()
    }

    private func serve() -> String {
        var size: TerminalSize?
        var reaped = ContinuousClock.now
        var room = ContinuousClock.now
        while true {
            let now = ContinuousClock.now
            let (input, wantedSize, wanted, isFull) = state.withLock {
                ($0.input, $0.size, $0.wanted, $0.backlog.isFull)
            }
            if let wanted { return wanted }
            if now >= deadline { return ShellReason.time }
            if hasLeft { return ShellReason.left }
            if let wantedSize, wantedSize != size {
                size = wantedSize
                _ = agent_terminal_resize(terminal, wantedSize.rows, wantedSize.columns)
            }
            if now - reaped > .seconds(1) {
                reapOrphans()
                reaped = now
            }
            if !isFull { room = now }
            let isHeldUp = isFull && now - room < Self.patience
            var files = [
                pollfd(
                    fd: terminal, events: Int16((isHeldUp ? 0 : POLLIN) | (input.isEmpty ? 0 : POLLOUT)), revents: 0),
                pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0),
            ]
            poll(&files, 2, 100)
            if files[1].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 256)
                while read(wake.read, &bytes, bytes.count) > 0 {}
            }
            if files[0].revents & Int16(POLLOUT) != 0 { writeInput(input) }
            // Nobody has the terminal open: the shell is about to end, or closed it.
            if files[0].revents & Int16(POLLIN | POLLHUP) != 0, isHeldUp || !readOutput() { usleep(20_000) }
        }
    }

    private func writeInput(_ input: [UInt8]) {
        let count = write(terminal, input, min(input.count, 1024))
        if count > 0 { state.withLock { $0.input.removeFirst(count) } }
    }

    /// - Returns: false when there was none.
    private func readOutput() -> Bool {
        var bytes = [UInt8](repeating: 0, count: 16 << 10)
        let count = read(terminal, &bytes, bytes.count)
        guard count > 0 else { return false }
        state.withLock { $0.backlog.append(bytes[..<count]) }
        newsman.yield()
        return true
    }

    /// The shell has ended. It stays to be asked, so that nobody else gets its number.
    private var hasLeft: Bool {
        var information = siginfo_t()
        return waitid(P_PID, id_t(shell), &information, WEXITED | WNOWAIT | WNOHANG) == 0
            && information.si_signo == SIGCHLD
    }

    /// What the shell left behind has this process for a parent.
    private func reapOrphans() {
        guard reach == .everyChild else { return }
        for entry in ProcessTable().entries where entry.parent == getpid() && entry.state == "Z" && entry.pid != shell {
            waitpid(entry.pid, nil, WNOHANG)
        }
    }

    private var victims: [pid_t] {
        let table = ProcessTable()
        let found: [ProcessTable.Entry]
        switch reach {
        case .everyChild: found = table.descendants(of: getpid())
        case .session:
            found = table.entries.filter { $0.session == shell || $0.pid == shell } + table.descendants(of: shell)
        }
        return found.filter { $0.state != "Z" && $0.state != "X" }.map(\.pid)
    }

    /// Ends the shell and all that it started: asks first, then kills until nothing is left.
    /// - Returns: how many wait inside the kernel and cannot be ended.
    private func endAll() -> Int {
        for victim in victims {
            kill(victim, SIGHUP)
            kill(victim, SIGCONT)
        }
        let asked = ContinuousClock.now
        var left = victims
        while !left.isEmpty, ContinuousClock.now - asked < .seconds(5) {
            if ContinuousClock.now - asked > .milliseconds(300) { for victim in left { kill(victim, SIGKILL) } }
            // Who wants to say something before it ends is not held up.
            _ = readOutput()
            usleep(10_000)
            left = victims
        }
        waitpid(shell, nil, WNOHANG)
        reapOrphans()
        return left.count
    }
}
