/// What the content of a file is compared with.
public struct FileDigest: Codable, Equatable, Sendable {
    public enum Algorithm: String, Codable, Sendable, CaseIterable {
        case sha256, sha512

        /// Hex digits.
        public var length: Int { self == .sha256 ? 64 : 128 }
    }

    public var algorithm: Algorithm
    /// In lower case.
    public var hex: String

    public init(_ algorithm: Algorithm, _ hex: String) { (self.algorithm, self.hex) = (algorithm, hex.lowercased()) }

    /// Of hex digits that have the length of one; nil for anything else.
    public init?(hex text: some StringProtocol) {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0 | 0x20) }),
            let algorithm = Algorithm.allCases.first(where: { $0.length == text.utf8.count })
        else { return nil }
        self.init(algorithm, String(text))
    }
}
