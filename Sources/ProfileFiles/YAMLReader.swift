import Yams

/// One mapping of a YAML document, read strictly: each key once, known, and of the right kind, or an error with its place.
public struct YAMLReader {
    let file: String
    let node: Node
    private let entries: [(key: Node, value: Node)]
    private var known: [String] = []

    /// Parses a document whose top is a mapping.
    public init(file: String, text: String) throws {
        do {
            guard let node = try Yams.compose(yaml: text) else {
                throw ProfileFileError(file: file, message: "the file is empty")
            }
            try self.init(file: file, node: node)
        } catch let error as YamlError {
            throw Self.translate(error, file: file)
        }
    }

    /// Every document of a file, whose tops are mappings; documents without content are passed over.
    public static func documents(file: String, text: String) throws -> [YAMLReader] {
        do {
            // Its error is in itself: a copy, as `for` makes one, would not tell.
            var nodes = try Yams.compose_all(yaml: text)
            var readers: [YAMLReader] = []
            while let node = nodes.next() {
                if node.null == nil { readers.append(try YAMLReader(file: file, node: node)) }
            }
            if let error = nodes.error { throw error }
            return readers
        } catch let error as YamlError {
            throw translate(error, file: file)
        }
    }

    init(file: String, node: Node) throws {
        guard let mapping = node.mapping else {
            throw ProfileFileError(
                file: file, line: node.mark?.line, column: node.mark?.column,
                message: "expected `key: value` lines here")
        }
        (self.file, self.node) = (file, node)
        entries = mapping.map { ($0.key, $0.value) }
    }

    /// This mapping as YAML, but for some keys. Comments and anchors are gone.
    func text(without keys: [String]) throws -> String {
        let pairs = entries.filter { entry in !keys.contains { entry.key.string == $0 } }
        guard !pairs.isEmpty else { return "{}\n" }
        return try Yams.serialize(node: Node(pairs.map { ($0.key, $0.value) }))
    }

    /// The text of a key, nil when it is absent.
    public mutating func string(_ key: String) throws -> String? {
        guard let value = take(key) else { return nil }
        guard let text = value.string else { throw fault(value, "\(key): expected text") }
        return text
    }

    public mutating func integer(_ key: String) throws -> Int? {
        guard let value = take(key) else { return nil }
        guard let number = value.int else { throw fault(value, "\(key): expected a whole number") }
        return number
    }

    /// A whole number within a range.
    public mutating func integer(_ key: String, in range: ClosedRange<Int>) throws -> Int? {
        guard let value = take(key) else { return nil }
        guard let number = value.int, range.contains(number) else {
            throw fault(value, "\(key): expected a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A text that must be readable as something.
    /// - Parameter what: the thing in words, for the error.
    public mutating func parsed<Value>(_ key: String, _ what: String, _ parse: (String) -> Value?) throws -> Value? {
        guard let value = take(key) else { return nil }
        guard let text = value.string, let parsed = parse(text) else {
            throw fault(value, "\(key): \(value.string ?? "this") is not \(what)")
        }
        return parsed
    }

    public mutating func boolean(_ key: String) throws -> Bool? {
        guard let value = take(key) else { return nil }
        guard let flag = value.bool else { throw fault(value, "\(key): expected true or false") }
        return flag
    }

    /// A list of things that are read from text.
    /// - Parameters:
    ///   - orOne: one of them may stand without a list.
    ///   - parse: throws what is wrong with one of them, in words.
    public mutating func list<Item>(
        _ key: String, orOne: Bool = false, _ parse: (String) throws -> Item
    ) throws -> [Item]? {
        guard let value = take(key) else { return nil }
        let items = value.sequence.map(Array.init) ?? (orOne && value.scalar != nil ? [value] : nil)
        guard let items else { throw fault(value, "\(key): expected a list") }
        return try items.map { item in
            guard let text = item.string else { throw fault(item, "\(key): expected text") }
            do {
                return try parse(text)
            } catch {
                throw fault(item, "\(key): \(error)")
            }
        }
    }

    /// One of a closed set of words.
    public mutating func word<Word: RawRepresentable & CaseIterable>(_ key: String, _: Word.Type) throws -> Word?
    where Word.RawValue == String {
        guard let value = take(key) else { return nil }
        guard let text = value.string, let word = Word(rawValue: text) else {
            throw fault(value, "\(key): " + Self.unknown(value.string ?? "this", among: Word.self))
        }
        return word
    }

    /// Words of a closed set, each once.
    public mutating func words<Word: RawRepresentable & CaseIterable & Equatable>(
        _ key: String, _: Word.Type
    ) throws -> [Word]? where Word.RawValue == String {
        var seen: [Word] = []
        return try list(key) { text in
            guard let word = Word(rawValue: text) else { throw ValueFault(Self.unknown(text, among: Word.self)) }
            guard !seen.contains(word) else { throw ValueFault("\(text) is here twice") }
            seen.append(word)
            return word
        }
    }

    private static func unknown<Word: RawRepresentable & CaseIterable>(_ text: String, among _: Word.Type) -> String
    where Word.RawValue == String {
        let words = Word.allCases.map(\.rawValue)
        let hint = Nearest.word(to: text, among: words).map { "; did you mean \($0)?" } ?? ""
        return "\(text) is not one of \(words.joined(separator: ", "))\(hint)"
    }

    /// A time with its unit, such as `90s`, `5m` or `1h`.
    public mutating func duration(_ key: String, in range: ClosedRange<Duration>) throws -> Duration? {
        guard let value = take(key) else { return nil }
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600]
        guard let text = value.string, let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()),
            (0...1_000_000).contains(count)
        else { throw fault(value, "\(key): \(value.string ?? "this") is not a time with a unit such as 90s, 5m or 1h") }
        let duration = Duration.seconds(count * unit)
        guard range.contains(duration) else {
            let (least, most) = (range.lowerBound.components.seconds, range.upperBound.components.seconds)
            throw fault(value, "\(key): \(text) is not from \(least)s to \(most)s")
        }
        return duration
    }

    /// A size with its unit, such as `8GB` or `4GiB`, in bytes.
    public mutating func bytes(_ key: String) throws -> Int64? {
        guard let value = take(key) else { return nil }
        guard let text = value.string, let size = ByteSize(text) else {
            throw fault(value, "\(key): \(value.string ?? "this") is not a size with a unit such as 800GB or 4GiB")
        }
        return size.bytes
    }

    /// A mapping from one thing to another, both read from text.
    /// - Parameter parse: throws what is wrong with a pair, in words.
    public mutating func pairs<Key, Item>(_ key: String, _ parse: (String, String) throws -> (Key, Item)) throws -> [(
        Key, Item
    )]? {
        guard let value = take(key) else { return nil }
        guard let mapping = value.mapping else { throw fault(value, "\(key): expected `key: value` lines") }
        return try mapping.map { left, right in
            guard let first = left.scalar?.string, let second = right.scalar?.string else {
                throw fault(left, "\(key): expected text")
            }
            do {
                return try parse(first, second)
            } catch {
                throw fault(left, "\(key): \(error)")
            }
        }
    }

    /// A mapping of texts, of which some may be `null`.
    public mutating func optionalPairs(_ key: String) throws -> [(String, String?)]? {
        guard let value = take(key) else { return nil }
        guard let mapping = value.mapping else { throw fault(value, "\(key): expected `key: value` lines") }
        return try mapping.map { left, right in
            guard let first = left.scalar?.string else { throw fault(left, "\(key): expected text") }
            if right.null != nil { return (first, nil) }
            guard let second = right.scalar?.string else { throw fault(right, "\(key): expected text") }
            return (first, second)
        }
    }

    /// A mapping inside this one.
    public mutating func mapping(_ key: String) throws -> YAMLReader? {
        guard let value = take(key) else { return nil }
        return try YAMLReader(file: file, node: value)
    }

    /// A mapping inside this one, of names to mappings.
    public mutating func namedMappings(_ key: String) throws -> [(name: String, YAMLReader)]? {
        guard let value = take(key) else { return nil }
        guard let mapping = value.mapping else { throw fault(value, "\(key): expected `name: {…}` lines") }
        return try mapping.map { name, inner in
            guard let text = name.scalar?.string else { throw fault(name, "\(key): expected a name") }
            return (text, try YAMLReader(file: file, node: inner))
        }
    }

    /// A list of mappings inside this one.
    public mutating func mappings(_ key: String) throws -> [YAMLReader]? {
        guard let value = take(key) else { return nil }
        guard let sequence = value.sequence else {
            throw fault(value, "\(key): expected a list, each item after a `-`")
        }
        return try sequence.map { try YAMLReader(file: file, node: $0) }
    }

    /// Call last: any key that nobody asked for is a fault.
    public func finish() throws {
        var seen: Set<String> = []
        for (node, _) in entries {
            guard let key = node.string, known.contains(key) else {
                let key = node.string ?? "that is no text"
                let hint = Nearest.word(to: key, among: known).map { "; did you mean \($0)?" } ?? ""
                throw fault(node, "unknown key \(key)\(hint)")
            }
            guard seen.insert(key).inserted else { throw fault(node, "\(key) is here twice") }
        }
    }

    public func fault(_ node: Node?, _ message: String) -> ProfileFileError {
        let mark = (node ?? self.node).mark
        return ProfileFileError(file: file, line: mark?.line, column: mark?.column, message: message)
    }

    /// A fault of the value of a key, or of this mapping when the key is absent.
    public func fault(key: String, _ message: String) -> ProfileFileError {
        fault(entries.first { $0.key.string == key }?.value, message)
    }

    mutating func take(_ key: String) -> Node? {
        known.append(key)
        return entries.first { $0.key.string == key }?.value
    }

    /// Where this mapping begins.
    var place: FilePlace { FilePlace(line: node.mark?.line, column: node.mark?.column) }

    /// Where the value of a key stands, nil where the key is absent.
    func place(of key: String) -> FilePlace? {
        entries.first { $0.key.string == key }.map {
            FilePlace(line: $0.value.mark?.line, column: $0.value.mark?.column)
        }
    }

    private static func translate(_ error: YamlError, file: String) -> ProfileFileError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ProfileFileError(file: file, line: mark.line, column: mark.column, message: problem)
        case .duplicatedKeysInMapping(let keys, let context):
            ProfileFileError(
                file: file, line: context.mark.line, column: context.mark.column,
                message: "\(keys.first ?? "a key") is here twice")
        default:
            ProfileFileError(file: file, message: "\(error)")
        }
    }
}
