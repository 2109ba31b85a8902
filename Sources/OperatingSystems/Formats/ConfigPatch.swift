import ConfigDocuments

/// Changes of a document that a driver made: people's words, ahead of what only the driver knows.
enum ConfigPatch {
    /// - Parameter patches: YAML or JSON; a list is a JSON patch (RFC 6902), anything else a merge patch (RFC 7396).
    /// - Throws: ``ConfigurationError``.
    static func apply(_ patches: [String], to document: ConfigValue) throws(ConfigurationError) -> ConfigValue {
        do {
            var result = document
            for patch in patches {
                for part in try ConfigValue.documents(yaml: patch) {
                    result =
                        part.items == nil ? result.merged(with: part) : try JSONPatch(part).applied(to: result)
                }
            }
            return result
        } catch {
            throw ConfigurationError(field: "patch", reason: "\(error)")
        }
    }
}
