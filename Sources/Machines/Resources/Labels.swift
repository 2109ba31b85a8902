import Inventory

/// Labels of machines: small names and values that people choose and select by.
public enum Labels {
    /// Of one machine.
    public static let limit = 32

    /// Of a cluster or a release that `slipway apply` made: the name of the set of files that declared it. No other is ever pruned.
    public static let appliedBy = "slipway.dev/applied-by"

    /// What is wrong with these labels; nil: nothing. Names and values are as ``Label`` has them: they become labels of nodes.
    public static func fault(_ labels: [String: String]) -> String? {
        guard labels.count <= limit else { return "\(labels.count) labels; a machine has at most \(limit)" }
        for (name, value) in labels.sorted(by: { $0.key < $1.key }) {
            if let fault = Label.fault(ofKey: name) { return fault }
            if let fault = Label.fault(ofValue: value) { return "\(name): \(fault)" }
        }
        return nil
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
