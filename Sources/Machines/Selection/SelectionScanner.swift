/// Reads the characters of an expression, with the column for its faults.
struct SelectionScanner {
    private let characters: [Character]
    private(set) var index = 0

    init(_ text: String) { characters = Array(text) }

    /// Of the next character, counted from 1.
    var column: Int { index + 1 }
    var next: Character? { index < characters.count ? characters[index] : nil }
    var isAtEnd: Bool { index == characters.count }

    func fault(_ message: String, at column: Int? = nil) -> SelectionFault {
        SelectionFault(column: column ?? self.column, message)
    }

    /// What stands at the place, for "expected …, found …".
    var found: String { next.map { "found \(String($0).debugDescription)" } ?? "the expression ends here" }

    mutating func advance() { index += 1 }

    /// - Returns: whether there was a blank.
    @discardableResult mutating func skipBlanks() -> Bool {
        let start = index
        while let next, next.isWhitespace { index += 1 }
        return index > start
    }

    /// Takes these characters when they are next.
    mutating func take(_ text: String) -> Bool {
        guard starts(with: text) else { return false }
        index += text.count
        return true
    }

    func starts(with text: String) -> Bool { characters[index...].starts(with: text) }

    /// The first character that is no blank behind `offset` more characters.
    func peekPastBlanks(_ offset: Int) -> Character? {
        guard index + offset <= characters.count else { return nil }
        return characters[(index + offset)...].first { !$0.isWhitespace }
    }

    /// Takes `in` or `notin` when a `(` follows it, up to and with the `(`.
    mutating func takeList(_ word: String) -> Bool {
        guard starts(with: word), peekPastBlanks(word.count) == "(" else { return false }
        index += word.count
        skipBlanks()
        advance()
        return true
    }

    static let special = Set<Character>(" ,|&()=!@\"'[]{}")

    /// - Parameter what: what is expected here, in words.
    mutating func word(_ what: String) throws(SelectionFault) -> SelectionWord {
        let start = column
        if let quote = next, quote == "\"" || quote == "'" { return try quoted(quote) }
        if next == "-" { throw fault("expected \(what), and a word does not begin with '-'") }
        var word = SelectionWord(parts: [], isGlob: false, isQuoted: false, column: start)
        var text = ""
        while let character = next {
            if character == "[" {
                if !text.isEmpty { word.parts.append(.text(text)) }
                text = ""
                word.parts.append(.numbers(try numbers()))
                guard word.count <= MachineSelector.limit else {
                    throw fault("this stands for more than \(MachineSelector.limit) names", at: start)
                }
                continue
            }
            guard !Self.special.contains(character), !character.isWhitespace else { break }
            if character == "*" || character == "?" { word.isGlob = true }
            text.append(character)
            advance()
        }
        if !text.isEmpty { word.parts.append(.text(text)) }
        guard !word.parts.isEmpty else { throw fault("expected \(what), \(found)") }
        return word
    }

    private mutating func quoted(_ quote: Character) throws(SelectionFault) -> SelectionWord {
        let start = column
        advance()
        var text = ""
        while let character = next, character != quote {
            text.append(character)
            advance()
        }
        guard take(String(quote)) else { throw fault("this quote is not closed", at: start) }
        return SelectionWord(parts: [.text(text)], isGlob: false, isQuoted: true, column: start)
    }

    /// `[01-20]`, `[1-4,7]`: numbers as they are written in names. A first number with leading zeros sets the width.
    private mutating func numbers() throws(SelectionFault) -> [String] {
        let start = column
        advance()
        var numbers: [String] = []
        while true {
            let place = column
            let first = digits()
            guard let low = Int(first) else { throw fault("expected a number in the brackets, \(found)") }
            if take("-") {
                let last = digits()
                guard let high = Int(last) else { throw fault("expected the last number of the range, \(found)") }
                guard low <= high else { throw fault("\(first)-\(last) runs backwards", at: place) }
                guard high - low < MachineSelector.limit else {
                    throw fault("\(first)-\(last) is more than \(MachineSelector.limit) names", at: place)
                }
                let isPadded = first.hasPrefix("0") && first.count > 1
                guard isPadded ? last.count >= first.count : !(last.hasPrefix("0") && last.count > 1) else {
                    throw fault("\(first)-\(last): write both with the same number of digits, such as 01-20", at: place)
                }
                numbers += (low...high).map { Self.padded($0, isPadded ? first.count : 0) }
            } else {
                numbers.append(first)
            }
            guard numbers.count <= MachineSelector.limit else {
                throw fault("these are more than \(MachineSelector.limit) names", at: start)
            }
            if take("]") { return numbers }
            guard take(",") else {
                throw fault(
                    isAtEnd ? "this bracket is not closed" : "expected ',' or ']', \(found)", at: isAtEnd ? start : nil)
            }
        }
    }

    /// At most nine, which is more than any name has; the rest is a fault of what follows.
    private mutating func digits() -> String {
        var text = ""
        while let character = next, "0"..."9" ~= character, text.count < 9 {
            text.append(character)
            advance()
        }
        return text
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
