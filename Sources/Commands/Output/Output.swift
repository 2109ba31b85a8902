import Foundation

/// Data on standard output, words on standard error.
enum Output {
    static func print(_ text: String) { FileHandle.standardOutput.write(Data((fit(text) + "\n").utf8)) }

    static func tell(_ text: String) { FileHandle.standardError.write(Data((fit(text) + "\n").utf8)) }

    /// Text that was made fit already, with colours of ours.
    static func write(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }

    /// As ``fit(_:)``, on one line.
    static func fitCell(_ text: String) -> String {
        fit(text.contains { $0.isNewline || $0 == "\t" } ? text.replacing(/[\n\r\t]+/, with: " ") : text)
    }

    /// Names of hardware, events and the like come from machines that nobody knows yet: nothing of theirs commands a terminal.
    static func fit(_ text: String) -> String {
        func isControl(_ scalar: Unicode.Scalar) -> Bool {
            let isOfTerminal = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
            // A change of direction shows other text than is there.
            return scalar != "\n" && scalar != "\t" && (isOfTerminal || scalar.properties.isBidiControl)
        }
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? "\u{fffd}" : $0 }))
    }

    /// Columns as wide as their widest cell.
    static func table(_ header: [String], _ rows: [[String]]) -> String {
        TextTable(header, rows).lines().joined(separator: "\n")
    }

    /// One fact on a line, behind its name.
    static func lines(_ lines: [(String, String)]) -> String {
        lines.map { $0.0.padding(toLength: 11, withPad: " ", startingAt: 0) + $0.1 }.joined(separator: "\n")
    }

    /// `3m12s`, for columns that tell how long ago.
    static func age(_ date: Date, now: Date = Date()) -> String {
        duration(now.timeIntervalSince(date))
    }

    static func duration(_ seconds: Double) -> String {
        let seconds = seconds.isFinite ? Int(min(max(0, seconds), 1e12)) : 0
        switch seconds {
        case ..<60: return "\(seconds)s"
        case ..<3600: return "\(seconds / 60)m\(seconds % 60)s"
        case ..<86400: return "\(seconds / 3600)h\(seconds % 3600 / 60)m"
        default: return "\(seconds / 86400)d\(seconds % 86400 / 3600)h"
        }
    }
}

extension String {
    /// The text as one segment of a URL's path, or the value of a query.
    var escaped: String {
        addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(["-", ".", "_", ":"])) ?? self
    }
}
