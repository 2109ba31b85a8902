import ConfigDocuments

/// Changes of a Talos machine configuration: strategic merge patches, which look like a configuration themselves, and JSON patches (RFC 6902).
/// https://docs.siderolabs.com/talos/v1.13/configure-your-talos-cluster/system-configuration/patching
enum TalosPatch {
    /// - Parameter patch: YAML or JSON; a list is a JSON patch, anything else is merged.
    /// - Throws: ``ConfigurationError``.
    static func apply(_ patch: String, to documents: [ConfigValue]) throws(ConfigurationError) -> [ConfigValue] {
        do {
            var result = documents
            for part in try ConfigValue.documents(yaml: patch) {
                if part.items != nil {
                    // A path has no word for which document: Talos knows JSON patches of single documents only.
                    guard result.count == 1, let only = result.first else {
                        throw ConfigSyntaxError(
                            "a JSON patch is for a configuration of one document, and this has \(result.count)")
                    }
                    result = [try JSONPatch(part).applied(to: only)]
                } else {
                    result = merge(part, into: result)
                }
            }
            return result
        } catch {
            throw ConfigurationError(field: "patch", reason: "\(error)")
        }
    }

    /// Documents are the same that have the same kind and name; the classic one has neither.
    static func merge(_ patch: ConfigValue, into documents: [ConfigValue]) -> [ConfigValue] {
        func identity(_ document: ConfigValue) -> [String?] {
            ["apiVersion", "kind", "name"].map { document[$0]?.string }
        }
        guard let index = documents.firstIndex(where: { identity($0) == identity(patch) }) else {
            return documents + [patch]
        }
        var result = documents
        if patch["$patch"]?.string == "delete" {
            result.remove(at: index)
        } else {
            result[index] = merged(documents[index], patch, path: [])
        }
        return result
    }

    /// Mappings are joined, lists are added to, all else is replaced.
    private static func merged(_ old: ConfigValue, _ new: ConfigValue, path: [String]) -> ConfigValue {
        switch (old, new) {
        case (.mapping(var mapping), .mapping(let changes)):
            for (key, value) in changes.pairs where key != "$patch" {
                if value["$patch"]?.string == "delete" {
                    mapping[key] = nil
                } else {
                    mapping[key] = mapping[key].map { merged($0, value, path: path + [key]) } ?? value
                }
            }
            return .mapping(mapping)
        case (.list(let items), .list(let more)):
            if replacedLists.contains(path.suffix(2).joined(separator: ".")) { return new }
            guard let keys = listKeys[path.last ?? ""] else { return .list(items + more) }
            return .list(joined(items, more, by: keys, path: path))
        default: return new
        }
    }

    /// Items of which one of these is the same are the same thing.
    private static func joined(
        _ items: [ConfigValue], _ more: [ConfigValue], by keys: [String], path: [String]
    ) -> [ConfigValue] {
        more.reduce(into: items) { result, item in
            let index = result.firstIndex { old in
                keys.contains { key in
                    guard let value = item[key] else { return false }
                    return old[key].map { $0.isSame(as: value) } ?? false
                }
            }
            switch (index, item["$patch"]?.string) {
            case (let index?, "delete"): result.remove(at: index)
            case (let index?, _): result[index] = merged(result[index], item, path: path)
            case (nil, "delete"): return
            case (nil, _): result.append(item)
            }
        }
    }

    private static let replacedLists: Set<String> = ["network.podSubnets", "network.serviceSubnets"]
    private static let listKeys = ["interfaces": ["interface", "deviceSelector"], "vlans": ["vlanId"]]
}
