/// A number of bytes as people write it: `512MB`, `1.6TB`, `4GiB`.
public struct ByteSize: Equatable, Sendable {
    public let bytes: Int64

    /// Nil without a number, a known unit, or when it does not fit 63 bits.
    public init?(_ text: String) {
        let number = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(number.count).drop { $0 == " " }
        guard let value = Double(number), let factor = Self.units[String(unit)] else { return nil }
        let bytes = value * factor
        guard bytes.isFinite, bytes >= 0, bytes < 9.2e18 else { return nil }
        self.bytes = Int64(bytes)
    }

    private static let units: [String: Double] = [
        "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1024, "MiB": 1_048_576,
        "GiB": 1_073_741_824, "TiB": 1_099_511_627_776,
    ]
}
