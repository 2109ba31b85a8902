/// What a sensor's number counts (§43.17, table 43-15).
public struct SensorUnit: Equatable, Sendable {
    /// `°C`, `RPM`; empty when there is none or nobody's.
    public var symbol = ""

    init() {}

    /// - Parameter units: bytes 21 to 23 of a record.
    init(units: [UInt8]) {
        guard units.count == 3 else { return }
        let base = Self.symbols[units[1]] ?? ""
        // Bit 0: a percentage, whatever of.
        guard units[0] & 1 == 0 else {
            symbol = "%"
            return
        }
        let modifier = Self.symbols[units[2]] ?? ""
        switch units[0] >> 1 & 3 {
        case 1 where !modifier.isEmpty: symbol = "\(base)/\(modifier)"
        case 2 where !modifier.isEmpty: symbol = "\(base)·\(modifier)"
        default: symbol = base
        }
        if let rate = Self.rates[units[0] >> 3 & 7] { symbol += rate }
    }

    private static let rates: [UInt8: String] = [1: "/µs", 2: "/ms", 3: "/s", 4: "/min", 5: "/h", 6: "/d"]

    private static let symbols: [UInt8: String] = [
        1: "°C", 2: "°F", 3: "K", 4: "V", 5: "A", 6: "W", 7: "J", 8: "C", 9: "VA", 10: "nt", 11: "lm", 12: "lx",
        13: "cd", 14: "kPa", 15: "psi", 16: "N", 17: "CFM", 18: "RPM", 19: "Hz", 20: "µs", 21: "ms", 22: "s",
        23: "min", 24: "h", 25: "d", 26: "weeks", 38: "cycles", 39: "G", 66: "bits", 67: "kbit", 68: "Mbit",
        69: "Gbit", 70: "B", 71: "kB", 72: "MB", 73: "GB", 82: "B", 83: "errors", 84: "errors", 85: "errors",
        42: "Ω", 43: "mΩ", 40: "dB", 41: "dBA", 53: "%", 36: "l", 59: "g",
    ]
}
