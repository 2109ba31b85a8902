import ConfigDocuments
import FoundationEssentials

/// A text with places for facts of a machine: `{{ hostname }}`, or `{{ hostname | sh }}` for one word of a shell, `json`, `base64`. It reads no
/// environment, no file and no network, has no loops, and a name that is not known is an error.
struct Template {
    /// Bytes of what it makes.
    static let limit = 1 << 20

    let text: String

    /// - Throws: ``ConfigurationError``.
    func render(_ facts: [String: String], field: String) throws(ConfigurationError) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            result += rest[..<open.lowerBound]
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
                throw ConfigurationError(field: field, reason: "a place is opened by {{ and not closed by }}")
            }
            let place = rest[open.upperBound..<close.lowerBound]
            let words = place.split(separator: "|", omittingEmptySubsequences: false).map { Self.trimmed($0) }
            guard words.count <= 2, let value = facts[words[0]] else {
                let known = facts.keys.sorted().joined(separator: ", ")
                throw ConfigurationError(
                    field: field, reason: "{{\(place)}} is none of \(known), with | sh, | json or | base64 behind it")
            }
            result += try Self.quoted(value, words.count == 2 ? words[1] : nil, field: field)
            guard result.utf8.count <= Self.limit else {
                throw ConfigurationError(field: field, reason: "it becomes more than \(Self.limit >> 10) KiB")
            }
            rest = rest[close.upperBound...]
        }
        return result + rest
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func quoted(
        _ value: String, _ quoting: String?, field: String
    ) throws(ConfigurationError) -> String {
        switch quoting {
        case nil:
            // Bare it stands in a text whose meaning nobody here knows.
            guard
                value.unicodeScalars.allSatisfy({
                    $0.value > 0x20 && $0.value < 0x7f && !"'\"\\`$<>&;|(){}#".unicodeScalars.contains($0)
                })
            else {
                throw ConfigurationError(
                    field: field,
                    reason:
                        "a value with blanks, quotes or the like stands where nothing quotes it: add | sh, | json or | base64"
                )
            }
            return value
        case "sh": return ShellText.quoted(value)
        case "json": return String(ConfigValue.text(value).json.dropLast())
        case "base64": return Data(value.utf8).base64EncodedString()
        case let other?:
            throw ConfigurationError(field: field, reason: "\(other) is none of sh, json, base64")
        }
    }
}
