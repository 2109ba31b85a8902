import Yams

/// Why a text is no configuration, and where.
public struct ConfigSyntaxError: Error, Equatable, CustomStringConvertible {
    /// Counted from 1; nil: the text as a whole.
    public var line: Int?
    public var reason: String

    public init(line: Int? = nil, _ reason: String) { (self.line, self.reason) = (line, reason) }

    public var description: String { line.map { "line \($0): \(reason)" } ?? reason }
}

extension ConfigValue {
    /// Bytes of a text, and values in it.
    public static let (textLimit, valueLimit) = (4 << 20, 200_000)

    /// Every document of a YAML stream (JSON is one too); those without content are passed over. Anchors are refused: a few lines of them can
    /// stand for more than any memory holds.
    public static func documents(yaml text: String) throws(ConfigSyntaxError) -> [ConfigValue] {
        guard text.utf8.count <= textLimit else { throw ConfigSyntaxError("more than \(textLimit >> 20) MiB") }
        do {
            // Its error is in itself: a copy, as `for` makes one, would not tell.
            var nodes = try Yams.compose_all(yaml: text)
            var (values, left): ([ConfigValue], Int) = ([], valueLimit)
            while let node = nodes.next() {
                if node.null == nil { values.append(try value(of: node, &left)) }
            }
            if let error = nodes.error { throw error }
            return values
        } catch let error as ConfigSyntaxError {
            throw error
        } catch {
            throw syntaxError(error)
        }
    }

    private static func value(of node: Node, _ left: inout Int) throws -> ConfigValue {
        left -= 1
        guard left > 0 else { throw ConfigSyntaxError("more than \(valueLimit) values") }
        guard node.anchor == nil else {
            throw ConfigSyntaxError(line: node.mark?.line, "an anchor (&…): write it out")
        }
        switch node {
        case .scalar(let scalar):
            return scalar.style == .plain || scalar.style == .any ? .plain(scalar.string) : .text(scalar.string)
        case .sequence(let sequence):
            return .list(try sequence.map { try value(of: $0, &left) })
        case .mapping(let mapping):
            var found = ConfigMapping()
            for (key, item) in mapping {
                guard let name = key.scalar?.string else {
                    throw ConfigSyntaxError(line: key.mark?.line, "a key that is no text")
                }
                guard found[name] == nil else { throw ConfigSyntaxError(line: key.mark?.line, "\(name) is here twice") }
                found[name] = try value(of: item, &left)
            }
            return .mapping(found)
        case .alias:
            throw ConfigSyntaxError(line: node.mark?.line, "an alias (*…): write it out")
        }
    }

    private static func syntaxError(_ error: any Error) -> ConfigSyntaxError {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ConfigSyntaxError(line: mark.line, problem)
        case .duplicatedKeysInMapping(let keys, let context):
            ConfigSyntaxError(line: context.mark.line, "\(keys.first ?? "a key") is here twice")
        default: ConfigSyntaxError("\(error)")
        }
    }

    /// As one YAML document. Every text that some reader of YAML 1.1 or 1.2 might take for something else is in quotes.
    public var yaml: String {
        do {
            return try Yams.serialize(node: node, width: -1, allowUnicode: true)
        } catch {
            // JSON is YAML, if not as pretty.
            return json
        }
    }

    /// As several documents, each after a line of `---` but for the first.
    public static func yaml(_ documents: [ConfigValue]) -> String {
        documents.map(\.yaml).joined(separator: "---\n")
    }

    private var node: Node {
        switch self {
        case .plain(let word): .scalar(.init(word, .implicit, .plain))
        case .text(let text): .scalar(.init(text, Tag(.str), Self.style(of: text)))
        case .list(let items): .sequence(.init(items.map(\.node), Tag(.seq), items.isEmpty ? .flow : .block))
        case .mapping(let mapping):
            .mapping(
                .init(
                    mapping.pairs.map { (.scalar(.init($0.key, Tag(.str), Self.style(of: $0.key))), $0.value.node) },
                    Tag(.map), mapping.pairs.isEmpty ? .flow : .block))
        }
    }

    private static func style(of text: String) -> Node.Scalar.Style {
        if isWord(text) { return .plain }
        // libyaml itself falls back to quotes where a block cannot hold the text.
        return text.contains("\n") && text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" }
            ? .literal : .doubleQuoted
    }

    /// A text that no reader takes for a number, a truth value, nothing, or the beginning of something else.
    static func isWord(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        func isLetter(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) }
        guard let first = bytes.first, let last = bytes.last, isLetter(first) || first == UInt8(ascii: "/") else {
            return false
        }
        let isPlain = bytes.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "-_./@+: ".utf8.contains($0) }
        guard isPlain, !": ".utf8.contains(last), !text.contains(": "), !text.contains("  ") else { return false }
        return !["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"].contains(text.lowercased())
    }
}
