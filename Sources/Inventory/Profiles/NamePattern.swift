/// A name, or a pattern of names in which `*` stands for any characters: `talos-1.*`.
public struct NamePattern: Hashable, Sendable, CustomStringConvertible {
    public let text: String
    /// What stands between the asterisks.
    private let pieces: [Substring]

    /// Nil when it is empty, longer than 128, or has other characters than those of names (letters, digits, `.`, `_`, `-`) and `*`.
    public init?(_ text: String) {
        let isFit = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x2e, 0x5f, 0x2a: true
            default: false
            }
        }
        guard !text.isEmpty, text.utf8.count <= 128, isFit else { return nil }
        self.text = text
        pieces = text.split(separator: "*", omittingEmptySubsequences: false)
    }

    public func matches(_ name: String) -> Bool {
        guard let first = pieces.first, let last = pieces.last, pieces.count > 1 else { return name == text }
        guard name.utf8.count >= first.utf8.count + last.utf8.count, name.hasPrefix(first), name.hasSuffix(last) else {
            return false
        }
        var rest = name.dropFirst(first.count).dropLast(last.count)
        for piece in pieces.dropFirst().dropLast() where !piece.isEmpty {
            // The first place is as good as any, since an asterisk follows.
            guard let found = rest.firstRange(of: piece) else { return false }
            rest = rest[found.upperBound...]
        }
        return true
    }

    public var description: String { text }
}
