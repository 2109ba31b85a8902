import Foundation
import Synchronization

/// Standard output or standard error, where that is a terminal.
struct Screen: Sendable {
    let descriptor: Int32

    static let output = Screen(descriptor: STDOUT_FILENO)
    /// Words and progress.
    static let notices = Screen(descriptor: STDERR_FILENO)

    var isTerminal: Bool { isatty(descriptor) == 1 }

    /// Nil: not a terminal. A terminal that does not tell counts as 80 x 24.
    var size: (width: Int, height: Int)? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Bars of blocks need UTF-8.
    static var isUnicode: Bool {
        let environment = ProcessInfo.processInfo.environment
        let locale = [environment["LC_ALL"], environment["LC_CTYPE"], environment["LANG"]].compactMap { $0 }
            .first { !$0.isEmpty }
        let name = (locale ?? "").lowercased()
        return name.contains("utf-8") || name.contains("utf8")
    }

    func write(_ text: String) {
        let handle = descriptor == STDOUT_FILENO ? FileHandle.standardOutput : FileHandle.standardError
        try? handle.write(contentsOf: Data(text.utf8))
    }
}

/// Lines at the bottom of a terminal that are drawn over and over. The lines are no wider and no more than the terminal has.
final class LiveRegion: Sendable {
    private let screen: Screen
    private let shown = Mutex<[String]>([])

    init(_ screen: Screen) { self.screen = screen }

    func draw(_ lines: [String]) {
        shown.withLock { shown in
            guard lines != shown else { return }
            let up = shown.isEmpty ? "" : "\u{1b}[\(shown.count)A"
            screen.write("\r" + up + lines.map { $0 + "\u{1b}[K\n" }.joined() + "\u{1b}[J")
            shown = lines
        }
    }

    /// What is shown stays; what is drawn next begins below it.
    func finish() { shown.withLock { $0 = [] } }
}
