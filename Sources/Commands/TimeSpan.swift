import ArgumentParser

/// A time as people write it: `30s`, `30m`, `2h`, `7d`; a bare number is seconds.
struct TimeSpan: ExpressibleByArgument, Equatable, Sendable {
    var seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
        var digits = Substring(argument)
        var unit = 1
        if let last = argument.last, let known = units[last] { (digits, unit) = (argument.dropLast(), known) }
        guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let count = Int(digits), count * unit <= Self.longest
        else { return nil }
        seconds = count * unit
    }

    /// Ten years.
    private static let longest = 315_360_000

    var duration: Duration { .seconds(seconds) }

    /// The largest unit that tells it without a rest.
    var description: String {
        for (unit, name) in [(86400, "d"), (3600, "h"), (60, "m")] where seconds > 0 && seconds % unit == 0 {
            return "\(seconds / unit)\(name)"
        }
        return "\(seconds)s"
    }

    var defaultValueDescription: String { description }
}
