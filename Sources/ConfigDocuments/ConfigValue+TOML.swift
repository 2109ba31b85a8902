extension ConfigValue {
    /// A mapping as TOML 1.0: values first, then a table for each mapping inside it.
    /// - Throws: ``ConfigSyntaxError`` for what TOML has no way to say: nothing, lists of mappings among scalars.
    public func toml() throws(ConfigSyntaxError) -> String {
        guard let mapping = entries else { throw ConfigSyntaxError("the top of a TOML file is a table") }
        var text = ""
        try Self.write(toml: mapping, path: [], to: &text)
        return text
    }

    private static func write(
        toml mapping: ConfigMapping, path: [String], to text: inout String
    ) throws(ConfigSyntaxError) {
        let inner = mapping.pairs.filter { $0.value.entries != nil }
        let values = mapping.pairs.filter { $0.value.entries == nil }
        if !path.isEmpty, !values.isEmpty || inner.isEmpty {
            text += (text.isEmpty ? "" : "\n") + "[\(path.map(tomlKey).joined(separator: "."))]\n"
        }
        for (key, value) in values { text += "\(tomlKey(key)) = \(try value.tomlValue(key))\n" }
        for (key, value) in inner {
            guard let table = value.entries else { continue }
            try write(toml: table, path: path + [key], to: &text)
        }
    }

    private func tomlValue(_ key: String) throws(ConfigSyntaxError) -> String {
        switch self {
        case .plain(let word):
            guard word != "null" else { throw ConfigSyntaxError("\(key): TOML has no null") }
            return Self.isLiteral(word) ? word : Self.quoted(word)
        case .text(let text): return Self.quoted(text)
        case .list(let items):
            var parts: [String] = []
            for item in items { parts.append(try item.tomlValue(key)) }
            return "[\(parts.joined(separator: ", "))]"
        case .mapping(let mapping):
            var parts: [String] = []
            for (name, item) in mapping.pairs { parts.append("\(Self.tomlKey(name)) = \(try item.tomlValue(name))") }
            return "{ \(parts.joined(separator: ", ")) }"
        }
    }

    /// Bare where TOML allows it.
    private static func tomlKey(_ key: String) -> String {
        let isBare = key.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || byte == 0x2d || byte == 0x5f
        }
        return isBare && !key.isEmpty ? key : quoted(key)
    }
}
