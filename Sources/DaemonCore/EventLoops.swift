import Foundation
import NIOCore
import NIOPosix

/// As many event loops as this process has processors: NIO counts those of the host, and loops that share a processor wait for
/// each other.
enum EventLoops {
    /// Call before anything uses the shared group.
    static func fit() {
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("Cpus_allowed:") })
        else { return }
        // Hex digits, commas between words: each set bit is a processor (proc_pid_status(5)).
        let count = line.dropFirst("Cpus_allowed:".count).reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
        if count > 0 { NIOSingletons.groupLoopCountSuggestion = min(count, 16) }
    }

    /// Where a loop and a bookkeeper (the store, the traces) want the same processor, the loop goes first: it answers in microseconds, and
    /// a commit takes milliseconds. Needs CAP_SYS_NICE; without it all are equal.
    static func goFirst() {
        for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() {
            loop.execute {
                // Threads that a loop starts are not to inherit it: SCHED_RESET_ON_FORK (sched(7)), which Glibc's module does not show.
                var none = sched_param()
                guard sched_setscheduler(0, 0x4000_0000, &none) == 0 else { return }
                // On Linux this is the calling thread's, and no other's (setpriority(2), "C library/kernel differences").
                _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -5)
            }
        }
    }
}
