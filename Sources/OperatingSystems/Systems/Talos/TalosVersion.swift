/// The first two numbers of a Talos version: what decides how it is configured.
struct TalosVersion: Comparable {
    var major: Int
    var minor: Int

    /// Reads `1.13.2`, `v1.14.0-beta.1`.
    /// - Throws: ``ConfigurationError``.
    init(_ text: String) throws(ConfigurationError) {
        let numbers = text.drop { $0 == "v" }.split(separator: ".")
        guard numbers.count >= 2, let major = Int(numbers[0]), let minor = Int(numbers[1]) else {
            throw ConfigurationError(
                field: "version", reason: "\(text.debugDescription) is no version of Talos such as 1.13.2")
        }
        (self.major, self.minor) = (major, minor)
    }

    init(_ major: Int, _ minor: Int) { (self.major, self.minor) = (major, minor) }

    static func < (one: Self, other: Self) -> Bool { (one.major, one.minor) < (other.major, other.minor) }

    /// Network and host name are documents of their own.
    var hasNetworkDocuments: Bool { self >= Self(1, 12) }
    /// Where it installs itself is a document of its own.
    var hasInstallDocument: Bool { self >= Self(1, 14) }
}
