/// A value of a configuration file: the tree that YAML, JSON and TOML have in common, with its keys in their order.
public indirect enum ConfigValue: Equatable, Sendable {
    /// A scalar without quotes, as it was written: a number, a truth value, nothing, or a word that needs none. Kept as it is, so that what a
    /// person wrote keeps the meaning that its reader gives it.
    case plain(String)
    /// Text, whatever it looks like.
    case text(String)
    case list([ConfigValue])
    case mapping(ConfigMapping)

    public static func integer(_ value: some BinaryInteger) -> Self { .plain(String(value)) }
    public static func boolean(_ value: Bool) -> Self { .plain(value ? "true" : "false") }
    public static let null = Self.plain("null")

    /// The text of a scalar; nil for anything else.
    public var string: String? {
        switch self {
        case .plain(let text), .text(let text): text
        case .list, .mapping: nil
        }
    }

    public var items: [ConfigValue]? { if case .list(let items) = self { items } else { nil } }

    public var entries: ConfigMapping? { if case .mapping(let mapping) = self { mapping } else { nil } }

    /// The value of a key of a mapping. Setting nil takes the key away; setting a value in what is no mapping makes it one.
    public subscript(key: String) -> ConfigValue? {
        get { entries?[key] }
        set {
            var mapping = entries ?? ConfigMapping()
            mapping[key] = newValue
            self = .mapping(mapping)
        }
    }

    /// Scalars in it, and lists and mappings themselves.
    public var count: Int {
        switch self {
        case .plain, .text: 1
        case .list(let items): items.reduce(1) { $0 + $1.count }
        case .mapping(let mapping): mapping.pairs.reduce(1) { $0 + $1.value.count }
        }
    }
}

/// Keys with their values, in an order.
public struct ConfigMapping: Equatable, Sendable {
    public private(set) var pairs: [(key: String, value: ConfigValue)] = []

    public init() {}

    /// Of equal keys the last one counts, in the place of the first.
    public init(_ pairs: [(String, ConfigValue)]) {
        for (key, value) in pairs { self[key] = value }
    }

    public var keys: [String] { pairs.map(\.key) }

    public subscript(key: String) -> ConfigValue? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let index = pairs.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): pairs[index].value = value
            case (let index?, nil): pairs.remove(at: index)
            case (nil, let value?): pairs.append((key, value))
            case (nil, nil): return
            }
        }
    }

    public static func == (one: Self, other: Self) -> Bool {
        one.pairs.elementsEqual(other.pairs) { $0.key == $1.key && $0.value == $1.value }
    }
}

extension ConfigValue: ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral
{
    public init(stringLiteral value: String) { self = .text(value) }
    public init(integerLiteral value: Int) { self = .integer(value) }
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
    public init(arrayLiteral elements: ConfigValue...) { self = .list(elements) }
    /// In the order of the literal.
    public init(dictionaryLiteral elements: (String, ConfigValue)...) { self = .mapping(ConfigMapping(elements)) }
}

extension ConfigValue {
    /// A mapping of those keys that have a value.
    public static func present(_ pairs: [(String, ConfigValue?)]) -> Self {
        .mapping(ConfigMapping(pairs.compactMap { key, value in value.map { (key, $0) } }))
    }

    public static func texts(_ texts: some Sequence<String>) -> Self { .list(texts.map { .text($0) }) }
}
