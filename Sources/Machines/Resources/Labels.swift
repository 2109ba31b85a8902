/// Labels of machines: small names and values that people choose and select by.
public enum Labels {
    /// Of one machine.
    public static let limit = 32

    /// Of a cluster or a release that `slipway apply` made: the name of the set of files that declared it. No other is ever pruned.
    public static let appliedBy = "slipway.dev/applied-by"

    /// What is wrong with these labels; nil: nothing. Names are 1 to 63 letters, digits, `.`, `_`, `-` and `/`, values at most 63 characters, as
    /// Kubernetes takes them.
    public static func fault(_ labels: [String: String]) -> String? {
        guard labels.count <= limit else { return "\(labels.count) labels; a machine has at most \(limit)" }
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            guard (1...63).contains(name.utf8.count), name.utf8.allSatisfy({ isFine($0) || $0 == UInt8(ascii: "/") })
            else {
                return "\(name.debugDescription) is not a label's name: 1 to 63 letters, digits, '.', '_', '-' and '/'"
            }
            guard value.utf8.count <= 63, value.utf8.allSatisfy(isFine) else {
                return
                    "\(name): \(value.debugDescription) is not a label's value: at most 63 letters, digits, '.', '_' and '-'"
            }
        }
        return nil
    }

    private static func isFine(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Text that commands no terminal and breaks no line.
public enum PlainText {
    public static func isPlain(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            // U+202E and its like turn the text around it.
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
            default: true
            }
        }
    }
}
