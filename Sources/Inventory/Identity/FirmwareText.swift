/// Texts of firmware, of which many are what its maker left there.
public enum FirmwareText {
    /// Texts that firmware fills in where nobody told it better; they mean "none". As public dumps of many boards show them.
    private static let fillers: Set = [
        "to be filled by o.e.m.", "default string", "not specified", "system serial number", "none", "n/a", "0",
        "0123456789", "to be filled by oem", "not applicable", "unknown", "chassis serial number",
        "system product name", "system manufacturer", "default", "empty", "123456789", "base board serial number",
        "invalid", "not available", "no asset information", "asset tag", "asset-1234567890", "not provided",
    ]

    /// Nil where the text means "none".
    public static func meaningful(_ text: String?) -> String? {
        guard let text else { return nil }
        return fillers.contains(text.lowercased()) ? nil : text
    }

    /// A serial number as it is compared: in lower case, without blanks around it; nil where it tells no machine from another, which one
    /// character repeated does not either.
    public static func serial(_ text: String?) -> String? {
        guard let text = meaningful(text.map(trimmed)), Set(text).count > 1 else { return nil }
        return text.lowercased()
    }

    private static func trimmed(_ text: String) -> String {
        let start = text.drop { $0 == " " }
        return String(String(start.reversed()).drop { $0 == " " }.reversed())
    }
}
