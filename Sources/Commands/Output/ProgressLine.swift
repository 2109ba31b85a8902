import Foundation
import Synchronization

/// One line that is redrawn on a terminal; in a pipe, a line for each change.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let last = Mutex("")

    func show(_ text: String) {
        let changed = last.withLock { last in
            defer { last = text }
            return last != text
        }
        guard changed else { return }
        if isTerminal {
            FileHandle.standardError.write(Data("\r\u{1b}[K\(text)".utf8))
        } else {
            Output.tell(text)
        }
    }

    /// Leaves the line as it is and goes to the next.
    func finish() {
        let shown = last.withLock { last in
            defer { last = "" }
            return last
        }
        if isTerminal, !shown.isEmpty { FileHandle.standardError.write(Data("\n".utf8)) }
    }
}
