/// The syntax of labels, which is that of Kubernetes ("Labels and Selectors", syntax and character set): they become labels of nodes.
public enum Label {
    /// Why a key cannot be one, in words; nil: it can.
    public static func fault(ofKey key: String) -> String? {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let name = parts.last else {
            return "a label's key has one / at most, behind a DNS name"
        }
        if parts.count == 2, !isDNSName(parts[0]) {
            return
                "\(parts[0].debugDescription) is not a DNS name such as example.com, which is what may stand before the / of a label's key"
        }
        guard isName(name) else {
            return "\(name.debugDescription) is not a label's key: 1 to 63 letters, digits, '-', '_' and '.', "
                + "which starts and ends with a letter or digit"
        }
        return nil
    }

    /// Why a value cannot be one, in words; nil: it can. It may be empty.
    public static func fault(ofValue value: String) -> String? {
        guard value.isEmpty || isName(value[...]) else {
            return "\(value.debugDescription) is not a label's value: at most 63 letters, digits, '-', '_' and '.', "
                + "which starts and ends with a letter or digit"
        }
        return nil
    }

    private static func isName(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, text.utf8.count <= 63 else { return false }
        return isLetterOrDigit(first) && isLetterOrDigit(last)
            && text.utf8.allSatisfy { isLetterOrDigit($0) || [0x2d, 0x2e, 0x5f].contains($0) }
    }

    /// RFC 1123 §2.1 in lower case.
    private static func isDNSName(_ text: Substring) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        return text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { part in
            guard let first = part.utf8.first, let last = part.utf8.last, part.utf8.count <= 63 else { return false }
            return isLetterOrDigit(first) && isLetterOrDigit(last)
                && part.utf8.allSatisfy { $0 == 0x2d || (isLetterOrDigit($0) && !(0x41...0x5a).contains($0)) }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: false
        }
    }
}
