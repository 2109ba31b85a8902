/// A word of an expression as it is compared: exactly, or with `*` for any characters and `?` for one.
struct SelectionPattern: Equatable, Sendable {
    var text: String
    var isGlob: Bool
    /// Of the word it stands in.
    var column: Int
    /// It stands in the expression as it is: neither `*` nor a bracket stands for it.
    var isSpelledOut: Bool

    func matches(_ value: String) -> Bool {
        guard isGlob else { return value == text }
        return Self.glob(Array(text.unicodeScalars), Array(value.unicodeScalars))
    }

    /// Goes back to the last `*` only, so that no pattern takes longer than its length times that of the value.
    private static func glob(_ pattern: [Unicode.Scalar], _ value: [Unicode.Scalar]) -> Bool {
        var (p, v) = (0, 0)
        var retry: (p: Int, v: Int)?
        while v < value.count {
            if p < pattern.count, pattern[p] == "*" {
                retry = (p, v)
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == value[v] {
                (p, v) = (p + 1, v + 1)
            } else if let last = retry {
                retry = (last.p, last.v + 1)
                (p, v) = (last.p + 1, last.v + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }
}

/// A word as it is written: text, and brackets that stand for numbers.
struct SelectionWord {
    enum Part {
        case text(String)
        case numbers([String])
    }

    var parts: [Part]
    var isGlob: Bool
    var isQuoted: Bool
    var column: Int

    /// The word without brackets; nil where it has some.
    var plain: String? {
        var text = ""
        for part in parts {
            guard case .text(let piece) = part else { return nil }
            text += piece
        }
        return text
    }

    /// How many words it stands for.
    var count: Int {
        parts.reduce(1) { count, part in
            guard case .numbers(let numbers) = part else { return count }
            return min(count.multipliedReportingOverflow(by: numbers.count).partialValue, MachineSelector.limit + 1)
        }
    }

    var patterns: [SelectionPattern] {
        var words = [""]
        var hasNumbers = false
        for part in parts {
            switch part {
            case .text(let text): words = words.map { $0 + text }
            case .numbers(let numbers):
                hasNumbers = true
                words = words.flatMap { word in numbers.map { word + $0 } }
            }
        }
        return words.map {
            SelectionPattern(text: $0, isGlob: isGlob, column: column, isSpelledOut: !isGlob && !hasNumbers)
        }
    }
}
