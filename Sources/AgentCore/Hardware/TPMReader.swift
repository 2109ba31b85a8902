import Glibc
import Synchronization
import TPM

/// The kernel's TPM with a resource manager of its own: what was made by way of a file is gone when that is closed.
final class KernelTPM: TPMTransport {
    private let file: Int32
    /// In seconds: the kernel waits for up to five minutes.
    private let patience: Int32

    /// Nil when there is none, or somebody else has it alone.
    init?(path: String, patience: Int32 = 60) {
        // Not blocking: what is written is worked at, and the answer can be waited for.
        file = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        self.patience = patience
        if file < 0 { return nil }
    }

    /// Waits for a command that is under way.
    deinit { close(file) }

    func exchange(_ command: [UInt8]) -> [UInt8]? {
        guard write(file, command, command.count) == command.count else { return nil }
        var wanted = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
        guard poll(&wanted, 1, patience * 1000) == 1 else { return nil }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = read(file, &answer, answer.count)
        return count > 0 ? Array(answer[..<count]) : nil
    }
}

/// The hash of the TPM's endorsement key. It is asked for once in a boot, beside everything else, since a TPM may take long.
public final class EndorsementKeyQuestion: Sendable {
    private enum State {
        case unasked
        case asked
        case answered(String?)
    }

    private let state = Mutex(State.unasked)
    private let ask: @Sendable () -> String?

    /// - Parameter ask: blocks until it is known, or known not to be had.
    public init(ask: @escaping @Sendable () -> String?) { self.ask = ask }

    public static func ofKernel(files: SystemFiles) -> EndorsementKeyQuestion {
        EndorsementKeyQuestion { KernelTPM(path: files.root + "/dev/tpmrm0").flatMap { EndorsementKey.hash(of: $0) } }
    }

    /// Asks, unless it was asked before.
    public func begin() {
        let isFirst = state.withLock { state in
            guard case .unasked = state else { return false }
            state = .asked
            return true
        }
        guard isFirst else { return }
        AgentThread.start("tpm") { [self] in
            let answer = ask()
            state.withLock { $0 = .answered(answer) }
        }
    }

    /// Nil: it cannot be had, or not yet.
    public func hash(within limit: Duration) -> String? {
        begin()
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: limit)
        while true {
            if case .answered(let hash) = state.withLock({ $0 }) { return hash }
            guard clock.now < deadline else { return nil }
            usleep(5000)
        }
    }
}
