import APIModel
import Foundation
import Glibc

/// The person's terminal, without echo and line editing while a console is open. Nil when standard input is none.
struct Terminal {
    private let former: termios

    init?() {
        var settings = termios()
        guard isatty(STDIN_FILENO) == 1, tcgetattr(STDIN_FILENO, &settings) == 0 else { return nil }
        former = settings
        cfmakeraw(&settings)
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    func restore() {
        var settings = former
        tcsetattr(STDIN_FILENO, TCSANOW, &settings)
    }

    /// Words on standard error, while the terminal is raw.
    static func tell(_ words: String) { FileHandle.standardError.write(Data((words + "\r\n").utf8)) }

    /// Rows and columns; nil when standard output is no terminal.
    static var size: TerminalSize? {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else { return nil }
        return TerminalSize(rows: size.ws_row, columns: size.ws_col)
    }

    /// What comes on standard input. Reading blocks, so it has a thread of its own, which ends with the program.
    static func input() -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            Thread.detachNewThread {
                var buffer = [UInt8](repeating: 0, count: 1024)
                while true {
                    let count = read(STDIN_FILENO, &buffer, buffer.count)
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else { break }
                    continuation.yield(Array(buffer[..<count]))
                }
                continuation.finish()
            }
        }
    }
}
