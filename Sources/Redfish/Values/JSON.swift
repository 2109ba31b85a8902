/// A JSON value (RFC 8259) as BMCs send it: a wrong type is as good as a missing property.
public enum JSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// The value of a property; nil when it is null or not there.
    public subscript(key: String) -> JSON? {
        guard case .object(let properties) = self, let value = properties[key], value != .null else { return nil }
        return value
    }

    public var string: String? { if case .string(let text) = self { text } else { nil } }
    public var array: [JSON]? { if case .array(let values) = self { values } else { nil } }
    public var object: [String: JSON]? { if case .object(let properties) = self { properties } else { nil } }

    /// Also of the words `true` and `false`, which some services quote.
    public var bool: Bool? {
        switch self {
        case .bool(let value): value
        case .string("true"), .string("True"): true
        case .string("false"), .string("False"): false
        default: nil
        }
    }

    /// Finite. Also of a string of digits, which some services quote.
    public var number: Double? {
        switch self {
        case .number(let value): value
        case .string(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
        default: nil
        }
    }

    public var integer: Int? { number.flatMap { Int(exactly: $0) } }

    /// Characters of a ``text`` at most: what is longer is no name and nothing that a person reads.
    static let longestText = 1024

    /// A string that says something: blanks at the ends are cut, a long one after 1,024 characters, and an empty one is nil.
    public var text: String? {
        guard var words = string.map({ Substring($0.unicodeScalars.prefix(Self.longestText)) }) else { return nil }
        while words.first?.isWhitespace == true { words.removeFirst() }
        while words.last?.isWhitespace == true { words.removeLast() }
        return words.isEmpty ? nil : String(words)
    }

    /// The strings of an array; others are passed over. Nil when it is no array.
    public var strings: [String]? { array.map { $0.compactMap(\.string) } }

    public var isEmpty: Bool {
        switch self {
        case .null: true
        case .array(let values): values.isEmpty
        case .object(let properties): properties.isEmpty
        default: false
        }
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByArrayLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(Dictionary(elements) { $1 })
    }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    public init(floatLiteral value: Double) { self = .number(value) }
}

extension JSON: CustomStringConvertible {
    /// The text that goes to a service. Properties are in the order of their names, so that the same value is the same text.
    public var description: String {
        switch self {
        case .null: return "null"
        case .bool(let value): return value ? "true" : "false"
        case .number(let value): return Int(exactly: value).map(String.init) ?? "\(value)"
        case .string(let text): return Self.quote(text)
        case .array(let values): return "[" + values.map(\.description).joined(separator: ",") + "]"
        case .object(let properties):
            let inside = properties.sorted { $0.key < $1.key }.map { "\(Self.quote($0.key)):\($0.value)" }
            return "{" + inside.joined(separator: ",") + "}"
        }
    }

    private static func quote(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
