/// One argument of a kernel command line. It cannot hold what would end it or start another.
public struct KernelArgument: Hashable, Sendable, CustomStringConvertible {
    public let key: String
    /// Nil for a bare word such as `quiet`.
    public let value: String?

    /// The key is letters, digits, `.`, `_`, `-`; the value is printable ASCII without blanks, quotes, `$`, `\`, `;`, `&`, `|`, `#`,
    /// `{`, `}`, so that neither the kernel, iPXE nor GRUB can read it as anything else.
    /// - Throws: ``KernelArgumentError``, naming the character.
    public init(_ key: String, _ value: String? = nil) throws(KernelArgumentError) {
        guard let first = key.utf8.first, Self.isLetterOrDigit(first) else { throw .badKey(key) }
        guard key.utf8.allSatisfy({ Self.isLetterOrDigit($0) || Self.keyMarks.contains($0) }) else {
            throw .badKey(key)
        }
        if let value, let bad = value.unicodeScalars.first(where: { !Self.isValue($0) }) {
            throw .badValue(key: key, character: bad)
        }
        (self.key, self.value) = (key, value)
    }

    /// Reads `key` or `key=value` as an operator writes it in a profile.
    public init(parsing text: String) throws(KernelArgumentError) {
        guard let equals = text.firstIndex(of: "=") else {
            try self.init(text)
            return
        }
        try self.init(String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    public var description: String { value.map { "\(key)=\($0)" } ?? key }

    private static let keyMarks = Set(".-_".utf8)
    private static let forbidden = Set("\"'`$\\;&|#{}<>".unicodeScalars)

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    private static func isValue(_ scalar: Unicode.Scalar) -> Bool {
        (0x21...0x7e).contains(scalar.value) && !forbidden.contains(scalar)
    }
}

public enum KernelArgumentError: Error, Equatable, CustomStringConvertible {
    case badKey(String)
    case badValue(key: String, character: Unicode.Scalar)

    public var description: String {
        switch self {
        case .badKey(let key):
            "kernel argument \(key.debugDescription): a name is letters, digits, '.', '_' and '-', and starts with a letter or digit"
        case .badValue(let key, let character):
            "kernel argument \(key): the value may not contain \(String(character).debugDescription)"
        }
    }
}
