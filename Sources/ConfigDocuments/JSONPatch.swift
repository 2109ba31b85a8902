/// A JSON patch (RFC 6902): changes of a document, all of them or none.
public struct JSONPatch: Equatable, Sendable {
    public enum Change: Equatable, Sendable {
        case add(ConfigValue)
        case remove
        case replace(ConfigValue)
        case move(from: [String])
        case copy(from: [String])
        case test(ConfigValue)
    }

    /// Each with the reference tokens of its path (RFC 6901).
    public var changes: [(path: [String], change: Change)]

    public static func == (one: Self, other: Self) -> Bool {
        one.changes.elementsEqual(other.changes) { $0.path == $1.path && $0.change == $1.change }
    }

    /// Reads a list of operations.
    public init(_ document: ConfigValue) throws(ConfigSyntaxError) {
        guard let items = document.items else { throw ConfigSyntaxError("a JSON patch is a list of operations") }
        changes = []
        for (index, item) in items.enumerated() {
            func fault(_ words: String) -> ConfigSyntaxError { ConfigSyntaxError("operation \(index): \(words)") }
            guard let path = item["path"]?.string.flatMap(Self.tokens(of:)) else {
                throw fault("path is missing, or no JSON pointer such as /machine/network")
            }
            let from = item["from"]?.string.flatMap(Self.tokens(of:))
            let value = item["value"]
            switch (item["op"]?.string, value, from) {
            case ("add", let value?, _): changes.append((path, .add(value)))
            case ("remove", _, _): changes.append((path, .remove))
            case ("replace", let value?, _): changes.append((path, .replace(value)))
            case ("test", let value?, _): changes.append((path, .test(value)))
            case ("move", _, let from?): changes.append((path, .move(from: from)))
            case ("copy", _, let from?): changes.append((path, .copy(from: from)))
            case ("add", nil, _), ("replace", nil, _), ("test", nil, _): throw fault("value is missing")
            case ("move", _, nil), ("copy", _, nil): throw fault("from is missing, or no JSON pointer")
            case (let word, _, _):
                throw fault("op \(word ?? "is missing") is none of add, remove, replace, move, copy, test")
            }
        }
    }

    /// - Throws: what could not be done; then nothing is.
    public func applied(to document: ConfigValue) throws(ConfigSyntaxError) -> ConfigValue {
        var result = document
        for (path, change) in changes {
            let place = Self.pointer(path)
            switch change {
            case .add(let value): try result.add(value, at: path[...], place)
            case .remove: _ = try result.remove(at: path[...], place)
            case .replace(let value):
                _ = try result.found(at: path)
                // In a mapping adding is replacing, and leaves the key where it is.
                if !path.isEmpty, try result.found(at: path.dropLast()).items != nil {
                    _ = try result.remove(at: path[...], place)
                }
                try result.add(value, at: path[...], place)
            case .move(let from):
                guard !path.starts(with: from) || path == from else {
                    throw ConfigSyntaxError("\(Self.pointer(from)) cannot move into itself, \(place)")
                }
                let value = try result.remove(at: from[...], Self.pointer(from))
                try result.add(value, at: path[...], place)
            case .copy(let from): try result.add(try result.found(at: from), at: path[...], place)
            case .test(let value):
                let found = try result.found(at: path)
                guard found.isSame(as: value) else {
                    throw ConfigSyntaxError("\(place) is not what the patch tests for")
                }
            }
        }
        return result
    }

    /// RFC 6901 §3 and §4; nil for what is no pointer.
    static func tokens(of pointer: String) -> [String]? {
        guard !pointer.isEmpty else { return [] }
        guard pointer.hasPrefix("/") else { return nil }
        return pointer.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { token in
            token.split(separator: "~1", omittingEmptySubsequences: false).joined(separator: "/")
                .split(separator: "~0", omittingEmptySubsequences: false).joined(separator: "~")
        }
    }

    static func pointer(_ tokens: [String]) -> String {
        tokens.map { token in
            "/"
                + token.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
                .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
        }.joined()
    }
}

extension ConfigValue {
    fileprivate func found(at path: [String]) throws(ConfigSyntaxError) -> ConfigValue {
        var value = self
        for token in path {
            let next: ConfigValue? =
                switch value {
                case .mapping(let mapping): mapping[token]
                case .list(let items): Self.index(token, below: items.count).map { items[$0] }
                case .plain, .text: nil
                }
            guard let next else { throw ConfigSyntaxError("there is no \(JSONPatch.pointer(path))") }
            value = next
        }
        return value
    }

    fileprivate mutating func add(
        _ value: ConfigValue, at path: ArraySlice<String>, _ place: String
    ) throws(ConfigSyntaxError) {
        guard let token = path.first else {
            self = value
            return
        }
        let isLast = path.count == 1
        switch self {
        case .mapping(var mapping):
            if isLast {
                mapping[token] = value
            } else {
                guard var inner = mapping[token] else { throw ConfigSyntaxError("there is no \(place) to add to") }
                try inner.add(value, at: path.dropFirst(), place)
                mapping[token] = inner
            }
            self = .mapping(mapping)
        case .list(var items):
            if isLast {
                guard let index = token == "-" ? items.count : Self.index(token, below: items.count + 1) else {
                    throw ConfigSyntaxError("\(place): the list has \(items.count) items")
                }
                items.insert(value, at: index)
            } else {
                guard let index = Self.index(token, below: items.count) else {
                    throw ConfigSyntaxError("\(place): the list has \(items.count) items")
                }
                try items[index].add(value, at: path.dropFirst(), place)
            }
            self = .list(items)
        case .plain, .text: throw ConfigSyntaxError("\(place) leads into a value that has no parts")
        }
    }

    fileprivate mutating func remove(
        at path: ArraySlice<String>, _ place: String
    ) throws(ConfigSyntaxError) -> ConfigValue {
        guard let token = path.first else { throw ConfigSyntaxError("the whole document cannot be removed") }
        let missing = ConfigSyntaxError("there is no \(place)")
        switch self {
        case .mapping(var mapping):
            guard var inner = mapping[token] else { throw missing }
            let removed: ConfigValue
            if path.count == 1 {
                removed = inner
                mapping[token] = nil
            } else {
                removed = try inner.remove(at: path.dropFirst(), place)
                mapping[token] = inner
            }
            self = .mapping(mapping)
            return removed
        case .list(var items):
            guard let index = Self.index(token, below: items.count) else { throw missing }
            let removed =
                path.count == 1 ? items.remove(at: index) : try items[index].remove(at: path.dropFirst(), place)
            self = .list(items)
            return removed
        case .plain, .text: throw missing
        }
    }

    /// Digits without a leading zero (RFC 6901 §4).
    private static func index(_ token: String, below count: Int) -> Int? {
        guard let index = Int(token), String(index) == token, (0..<count).contains(index) else { return nil }
        return index
    }

    /// Equal as JSON: the order of keys does not count (RFC 6902 §4.6), and quotes do not where both are text.
    public func isSame(as other: ConfigValue) -> Bool {
        switch (self, other) {
        case (.mapping(let one), .mapping(let two)):
            one.pairs.count == two.pairs.count
                && one.pairs.allSatisfy { pair in two[pair.key].map { pair.value.isSame(as: $0) } ?? false }
        case (.list(let one), .list(let two)):
            one.count == two.count && zip(one, two).allSatisfy { $0.isSame(as: $1) }
        case (.plain(let one), .text(let two)), (.text(let two), .plain(let one)):
            one == two && !Self.isLiteral(one)
        case (.plain(let one), .plain(let two)), (.text(let one), .text(let two)): one == two
        default: false
        }
    }
}
