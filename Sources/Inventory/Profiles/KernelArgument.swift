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
        guard key.utf8.allSatisfy(Self.isOfKey) else { throw .badKey(key) }
        if let value, !value.utf8.allSatisfy(Self.isOfValue),
            let bad = value.unicodeScalars.first(where: { !$0.isASCII || !Self.isOfValue(UInt8($0.value)) })
        {
            throw .badValue(key: key, character: bad)
        }
        (self.key, self.value) = (key, value)
    }

    /// An argument whose key and value are made by this program, of letters, digits and harmless marks alone.
    package init(made key: String, _ value: String) { (self.key, self.value) = (key, value) }

    /// Reads `key` or `key=value` as an operator writes it in a profile.
    public init(parsing text: String) throws(KernelArgumentError) {
        guard let equals = text.firstIndex(of: "=") else {
            try self.init(text)
            return
        }
        try self.init(String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    public var description: String { value.map { "\(key)=\($0)" } ?? key }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }

    private static func isOfKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: isLetterOrDigit(byte)
        }
    }

    private static func isOfValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: "$"), UInt8(ascii: "\\"),
            UInt8(ascii: ";"), UInt8(ascii: "&"), UInt8(ascii: "|"), UInt8(ascii: "#"), UInt8(ascii: "{"),
            UInt8(ascii: "}"), UInt8(ascii: "<"), UInt8(ascii: ">"):
            false
        case 0x21...0x7e: true
        default: false
        }
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
