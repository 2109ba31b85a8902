import FoundationEssentials
import Machines

/// A list of digests in one of the forms that are published: `sha256sum`'s (also Flatcar's DIGESTS), BSD's, a `.treeinfo`, the `Release` of a
/// Debian archive, or the `meta.json` of a CoreOS build.
public enum DigestList {
    /// Bytes of a list.
    public static let limit = 4 << 20

    /// The strongest digest of a file.
    /// - Parameter name: its path, or the end of it.
    /// - Returns: nil: it is not in the list, or with weak digests only.
    public static func digest(of name: String, in text: String) -> FileDigest? {
        guard !name.isEmpty else { return nil }
        if text.drop(while: \.isWhitespace).first == "{" { return metadata(text, name) }
        let found = text.split(whereSeparator: \.isNewline).compactMap { line(String($0), name) }
        return found.max { $0.algorithm.length < $1.algorithm.length }
    }

    private static func line(_ line: String, _ name: String) -> FileDigest? {
        // path = sha256:HEX
        if let equals = line.firstRange(of: "="), line[equals.upperBound...].contains(":"), !line.contains("(") {
            let path = line[..<equals.lowerBound].trimmingBlanks
            let parts = line[equals.upperBound...].split(separator: ":").map(\.trimmingBlanks)
            guard parts.count == 2, isSame(path, name), let digest = FileDigest(hex: parts[1]),
                digest.algorithm.rawValue == parts[0]
            else { return nil }
            return digest
        }
        // SHA256 (name) = HEX
        if let open = line.firstRange(of: " ("), let close = line.firstRange(of: ") = ") {
            guard open.upperBound <= close.lowerBound,
                isSame(line[open.upperBound..<close.lowerBound].trimmingBlanks, name)
            else { return nil }
            return FileDigest(hex: line[close.upperBound...].trimmingBlanks)
        }
        // HEX  name, or HEX *name, or HEX BYTES name
        let parts = line.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let digest = FileDigest(hex: parts[0]) else { return nil }
        let rest = parts[1].split(separator: " ")
        if rest.count == 2, rest[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return isSame(rest[1].trimmingBlanks, name) ? digest : nil
        }
        let path = parts[1].trimmingBlanks
        return isSame(path.hasPrefix("*") ? String(path.dropFirst()) : path, name) ? digest : nil
    }

    /// The same file: the list may know it by a longer path.
    private static func isSame(_ listed: String, _ name: String) -> Bool {
        listed == name || listed.hasSuffix("/" + name)
    }

    private struct Metadata: Decodable {
        struct Image: Decodable {
            var path: String?
            var sha256: String?
        }

        var images: [String: Image]
    }

    private static func metadata(_ text: String, _ name: String) -> FileDigest? {
        let metadata = try? JSONDecoder().decode(Metadata.self, from: Data(text.utf8))
        let image = metadata?.images.values.first { $0.path == name }
        return image?.sha256.flatMap { FileDigest(hex: $0) }
    }
}

extension StringProtocol {
    fileprivate var trimmingBlanks: String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character == "\r" }
        return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }
}
