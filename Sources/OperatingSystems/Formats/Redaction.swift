import ConfigDocuments

/// Texts that are shown to people who may not see what is secret in them.
public enum Redaction {
    /// What stands where something else was.
    public static let mark = "REDACTED"

    /// The same configuration without any value that is not known to be harmless: its shape can be read, and nothing else.
    /// - Parameter text: YAML or JSON; what is neither becomes one word.
    public static func configuration(_ text: String) -> String {
        guard let documents = try? ConfigValue.documents(yaml: text), !documents.isEmpty else { return mark + "\n" }
        return ConfigValue.yaml(documents.map { redacted($0, key: nil) })
    }

    /// What these keys say is no secret in any of the formats.
    private static let harmless: Set<String> = [
        "version", "apiVersion", "kind", "type", "op", "path", "$patch", "endpoint", "clusterName", "dnsDomain",
        "podSubnets", "serviceSubnets", "image",
    ]

    private static func redacted(_ value: ConfigValue, key: String?) -> ConfigValue {
        switch value {
        case .mapping(let mapping):
            .mapping(ConfigMapping(mapping.pairs.map { ($0, redacted($1, key: $0)) }))
        // A JSON patch tests for values that are not there now.
        case .list(let items):
            .list(items.filter { $0["op"]?.string != "test" }.map { redacted($0, key: key) })
        default:
            if let key, harmless.contains(key) { value } else { .text(mark) }
        }
    }
}
