extension ConfigValue {
    /// With the changes of a merge patch (RFC 7396): mappings are joined, `null` takes a key away, all else is replaced.
    public func merged(with patch: ConfigValue) -> ConfigValue {
        guard case .mapping(let changes) = patch else { return patch }
        var result = entries ?? ConfigMapping()
        for (key, change) in changes.pairs {
            result[key] =
                switch change {
                case .plain("null"), .plain("~"): nil
                // Into nothing: a null below takes away what is not there.
                default: (result[key] ?? .mapping(ConfigMapping())).merged(with: change)
                }
        }
        return .mapping(result)
    }
}
