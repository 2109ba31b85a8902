/// What a sensor's number counts (§43.17, table 43-15).
public struct SensorUnit: Equatable, Sendable {
    /// `°C`, `RPM`; empty when there is none or nobody's.
    public var symbol = ""

    init() {}

    /// - Parameter units: bytes 21 to 23 of a record.
    init(units: [UInt8]) {
        guard units.count == 3 else { return }
        let base = Self.symbol(units[1])
        // Bit 0: a percentage, whatever of.
        guard units[0] & 1 == 0 else {
            symbol = "%"
            return
        }
        let modifier = Self.symbol(units[2])
        switch units[0] >> 1 & 3 {
        case 1 where !modifier.isEmpty: symbol = "\(base)/\(modifier)"
        case 2 where !modifier.isEmpty: symbol = "\(base)·\(modifier)"
        default: symbol = base
        }
        if let rate = Self.rates[units[0] >> 3 & 7] { symbol += rate }
    }

    private static let rates: [UInt8: String] = [1: "/µs", 2: "/ms", 3: "/s", 4: "/min", 5: "/h", 6: "/d"]

    private static func symbol(_ code: UInt8) -> String { Int(code) < symbols.count ? symbols[Int(code)] : "" }

    /// In the order of table 43-15, ten to a line; empty is unspecified or reserved.
    private static let symbols = [
        "", "°C", "°F", "K", "V", "A", "W", "J", "C", "VA",
        "nt", "lm", "lx", "cd", "kPa", "psi", "N", "CFM", "RPM", "Hz",
        "µs", "ms", "s", "min", "h", "d", "weeks", "mil", "in", "ft",
        "in³", "ft³", "mm", "cm", "m", "cm³", "m³", "l", "fl oz", "rad",
        "sr", "revolutions", "cycles", "g₀", "oz", "lb", "ft·lb", "oz·in", "G", "Gb",
        "H", "mH", "F", "µF", "Ω", "S", "mol", "Bq", "ppm", "",
        "dB", "dBA", "dBC", "Gy", "Sv", "K", "bits", "kbit", "Mbit", "Gbit",
        "B", "kB", "MB", "GB", "words", "dwords", "qwords", "lines", "hits", "misses",
        "retries", "resets", "overruns", "underruns", "collisions", "packets", "messages", "characters", "errors",
        "errors",
        "errors", "errors", "g",
    ]
}
