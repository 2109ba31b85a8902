import FoundationEssentials

/// Reads the date-time format of Redfish properties (ISO 8601 extended, DSP0266 §9.5.6), such as `2024-06-11T00:13:00-05:00`.
public enum Timestamp {
    /// Nil for what is none, and for years before 1980: a clock that was never set says 1970, or all zeros.
    public static func parse(_ text: String) -> Date? {
        let bytes = Array(text.utf8)
        func digits(_ start: Int, _ count: Int) -> Int? {
            guard start + count <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[start..<start + count] {
                guard (0x30...0x39).contains(byte) else { return nil }
                value = value * 10 + Int(byte - 0x30)
            }
            return value
        }
        guard bytes.count >= 19, bytes.count <= 40, let year = digits(0, 4), let month = digits(5, 2),
            let day = digits(8, 2), let hour = digits(11, 2), let minute = digits(14, 2), let second = digits(17, 2),
            year >= 1980, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
        else { return nil }
        var index = 19
        var fraction = 0.0
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            let part = bytes[(index + 1)...].prefix { (0x30...0x39).contains($0) }
            fraction = Double("0." + String(decoding: part, as: UTF8.self)) ?? 0
            index += 1 + part.count
        }
        var offset = 0
        if index < bytes.count, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") {
            guard let hours = digits(index + 1, 2) else { return nil }
            offset = (hours * 60 + (digits(index + 4, 2) ?? 0)) * (bytes[index] == UInt8(ascii: "-") ? -60 : 60)
        }
        // Days from the civil calendar, in years that begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Date(timeIntervalSince1970: Double(seconds) + fraction)
    }
}
