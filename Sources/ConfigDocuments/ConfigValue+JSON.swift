extension ConfigValue {
    /// As JSON (RFC 8259), two spaces for each level, with a newline at the end.
    public var json: String {
        var text = ""
        write(json: &text, indent: "")
        return text + "\n"
    }

    private func write(json text: inout String, indent: String) {
        let inner = indent + "  "
        switch self {
        case .plain(let word): text += Self.isLiteral(word) ? word : Self.quoted(word)
        case .text(let words): text += Self.quoted(words)
        case .list(let items) where items.isEmpty: text += "[]"
        case .list(let items):
            text += "[\n"
            for (index, item) in items.enumerated() {
                text += inner
                item.write(json: &text, indent: inner)
                text += index < items.count - 1 ? ",\n" : "\n"
            }
            text += indent + "]"
        case .mapping(let mapping) where mapping.pairs.isEmpty: text += "{}"
        case .mapping(let mapping):
            text += "{\n"
            for (index, pair) in mapping.pairs.enumerated() {
                text += inner + Self.quoted(pair.key) + ": "
                pair.value.write(json: &text, indent: inner)
                text += index < mapping.pairs.count - 1 ? ",\n" : "\n"
            }
            text += indent + "}"
        }
    }

    /// `true`, `false`, `null` and numbers as RFC 8259 §6 has them.
    static func isLiteral(_ word: String) -> Bool {
        if ["true", "false", "null"].contains(word) { return true }
        var rest = Array(word.utf8)[...]
        func digits() -> Int {
            let count = rest.prefix { (0x30...0x39).contains($0) }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let leadsWithZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !leadsWithZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "+") || rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    /// In double quotes, as JSON, YAML and TOML read them alike: every control character by its number.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            // C0, DEL, C1, and the two separators that some readers take for ends of lines.
            case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{2028}", "\u{2029}", "\u{feff}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
