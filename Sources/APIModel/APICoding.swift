import FoundationEssentials
import Machines

/// How the REST API writes JSON: sorted keys, times as RFC 3339 in UTC with milliseconds.
public enum APICoding {
    public static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(format(date))
        }
        return encoder
    }

    public static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let container = try decoder.singleValueContainer()
            let text = try container.decode(String.self)
            guard let date = date(text) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "\"\(text)\" is not a time such as 2026-01-31T12:00:00.000Z")
            }
            return date
        }
        return decoder
    }

    /// `2026-01-31T12:00:00.000Z`.
    public static func format(_ date: Date) -> String { RFC3339.format(date) }

    /// Reads RFC 3339 with or without fractions of a second.
    public static func date(_ text: String) -> Date? { RFC3339.date(text) }
}
