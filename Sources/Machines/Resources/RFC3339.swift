import FoundationEssentials

/// Times as text (RFC 3339), to the millisecond: what was written is read as it was, and written the same again.
public enum RFC3339 {
    /// `2026-01-31T12:00:00.000Z`.
    public static func format(_ date: Date) -> String {
        // The formatter cuts off what is below a millisecond, and most milliseconds are a little below themselves in binary.
        let milliseconds = (date.timeIntervalSinceReferenceDate * 1000).rounded()
        let safe = Date(timeIntervalSinceReferenceDate: milliseconds / 1000 + 0.0001)
        return safe.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// With or without fractions of a second.
    public static func date(_ text: String) -> Date? {
        (try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
            ?? (try? Date(text, strategy: Date.ISO8601FormatStyle()))
    }
}
