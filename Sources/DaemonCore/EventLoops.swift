import Foundation
import NIOCore

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
}
