/// What a terminal of 80 columns and 25 lines shows after some output: enough of ECMA-48 for firmware, boot loaders and kernels, which
/// place their words by cursor commands. Total: any bytes give a screen.
public struct TerminalScreen: Sendable {
    public static let columns = 80
    public static let rows = 25

    private enum State {
        case text
        case escape
        /// Behind ESC [: the parameters so far.
        case control([UInt8])
        /// Behind ESC ], ESC P and the like: until the string's end.
        case string(sawEscape: Bool)
        /// One byte of a character set's name follows.
        case characterSet
    }

    private var cells = Array(repeating: Array(repeating: Character(" "), count: columns), count: rows)
    private var (row, column) = (0, 0)
    private var saved = (row: 0, column: 0)
    private var state = State.text
    private var utf8: [UInt8] = []

    public init() {}

    /// Without empty lines at the end, and without control characters.
    public var lines: [String] {
        var lines = cells.map { line in
            var text = String(line)
            while text.hasSuffix(" ") { text.removeLast() }
            return text
        }
        while lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines
    }

    public mutating func feed(_ bytes: some Sequence<UInt8>) { for byte in bytes { feed(byte) } }

    private mutating func feed(_ byte: UInt8) {
        switch state {
        case .text: text(byte)
        case .escape: escape(byte)
        case .control(let parameters):
            switch byte {
            case 0x20...0x3f: state = parameters.count < 32 ? .control(parameters + [byte]) : .text
            case 0x40...0x7e:
                state = .text
                control(byte, parameters)
            default: state = .text
            }
        case .string(let sawEscape):
            if byte == 0x07 || (sawEscape && byte == UInt8(ascii: "\\")) {
                state = .text
            } else {
                state = .string(sawEscape: byte == 0x1b)
            }
        case .characterSet: state = .text
        }
    }

    private mutating func text(_ byte: UInt8) {
        switch byte {
        case 0x1b: state = .escape
        case 0x08: column = max(0, column - 1)
        case 0x09: column = min(Self.columns - 1, (column / 8 + 1) * 8)
        case 0x0a, 0x0b, 0x0c: lineFeed()
        case 0x0d: column = 0
        case 0x20...0x7e: put(Character(UnicodeScalar(byte)))
        case 0x80...: continueCharacter(byte)
        default: break
        }
    }

    /// UTF-8, as Linux writes it; other bytes are old code pages, whose frames and shades say nothing.
    private mutating func continueCharacter(_ byte: UInt8) {
        if byte >= 0xc0 { utf8 = [] }
        utf8.append(byte)
        let length = utf8[0] >= 0xf0 ? 4 : utf8[0] >= 0xe0 ? 3 : utf8[0] >= 0xc0 ? 2 : 1
        guard utf8.count >= length else { return }
        let character = String(validating: utf8, as: UTF8.self)?.first ?? "?"
        utf8 = []
        put(character.unicodeScalars.contains { $0.properties.generalCategory == .control } ? "?" : character)
    }

    private mutating func put(_ character: Character) {
        if column >= Self.columns {
            column = 0
            lineFeed()
        }
        cells[row][column] = character
        column += 1
    }

    private mutating func lineFeed() {
        guard row == Self.rows - 1 else {
            row += 1
            return
        }
        cells.removeFirst()
        cells.append(Array(repeating: " ", count: Self.columns))
    }

    private mutating func escape(_ byte: UInt8) {
        state = .text
        switch byte {
        case UInt8(ascii: "["): state = .control([])
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"), UInt8(ascii: "X"):
            state = .string(sawEscape: false)
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "#"), UInt8(ascii: "%"): state = .characterSet
        case UInt8(ascii: "c"): self = TerminalScreen()
        case UInt8(ascii: "7"): saved = (row, column)
        case UInt8(ascii: "8"): (row, column) = saved
        case UInt8(ascii: "D"): lineFeed()
        case UInt8(ascii: "E"):
            column = 0
            lineFeed()
        case UInt8(ascii: "M"): row = max(0, row - 1)
        default: break
        }
    }

    private mutating func control(_ final: UInt8, _ bytes: [UInt8]) {
        let numbers = bytes.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map { part in
            part.reduce(0) { total, digit in
                (0x30...0x39).contains(digit) ? min(9999, total * 10 + Int(digit - 0x30)) : total
            }
        }
        let first = max(1, numbers.first ?? 1)
        switch final {
        case UInt8(ascii: "A"): row = max(0, row - first)
        case UInt8(ascii: "B"): row = min(Self.rows - 1, row + first)
        case UInt8(ascii: "C"): column = min(Self.columns - 1, column + first)
        case UInt8(ascii: "D"): column = max(0, column - first)
        case UInt8(ascii: "G"): column = min(Self.columns, first) - 1
        case UInt8(ascii: "d"): row = min(Self.rows, first) - 1
        case UInt8(ascii: "H"), UInt8(ascii: "f"):
            row = min(Self.rows, first) - 1
            column = min(Self.columns, max(1, numbers.dropFirst().first ?? 1)) - 1
        case UInt8(ascii: "J"): erase(numbers.first ?? 0, lines: true)
        case UInt8(ascii: "K"): erase(numbers.first ?? 0, lines: false)
        case UInt8(ascii: "s"): saved = (row, column)
        case UInt8(ascii: "u"): (row, column) = saved
        default: break
        }
    }

    /// From the cursor to the end (0), from the beginning to the cursor (1), or all (2).
    private mutating func erase(_ part: Int, lines: Bool) {
        let last = min(column, Self.columns - 1)
        let range = part == 0 ? last..<Self.columns : part == 1 ? 0..<last + 1 : 0..<Self.columns
        for index in range { cells[row][index] = " " }
        guard lines else { return }
        let rows = part == 0 ? row + 1..<Self.rows : part == 1 ? 0..<row : 0..<Self.rows
        for index in rows { cells[index] = Array(repeating: " ", count: Self.columns) }
    }
}
