/// A bound on a number: `>= 512GiB`, with the unit taken out.
public struct Comparison: Hashable, Sendable {
    public enum Relation: String, Sendable, CaseIterable {
        case atLeast = ">="
        case atMost = "<="
        case more = ">"
        case less = "<"
        case equal = "="
    }

    public var relation: Relation
    public var bound: Int64

    public init(_ relation: Relation, _ bound: Int64) { (self.relation, self.bound) = (relation, bound) }

    public func holds(for number: Int64) -> Bool {
        switch relation {
        case .atLeast: number >= bound
        case .atMost: number <= bound
        case .more: number > bound
        case .less: number < bound
        case .equal: number == bound
        }
    }
}

/// What a number counts, which decides how it is written.
public enum NumberUnit: Sendable {
    case count
    /// `512GiB`, `1.6TB`.
    case bytes
    /// Bits in a second: `25Gbit/s`.
    case bits

    /// As a profile writes it.
    public func words(_ number: Int64) -> String {
        switch self {
        case .count: return "\(number)"
        case .bytes:
            return Self.scaled(number, [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB")], "B", decimal: "GB")
        case .bits:
            return Self.scaled(number, [(1_000_000_000, "Gbit/s"), (1_000_000, "Mbit/s")], "bit/s", decimal: nil)
        }
    }

    /// The largest unit that leaves no rest; else whole decimal gigabytes, which is how disks are sold.
    private static func scaled(_ number: Int64, _ units: [(Int64, String)], _ smallest: String, decimal: String?)
        -> String
    {
        if let (factor, name) = units.first(where: { number >= $0.0 && number % $0.0 == 0 }) {
            return "\(number / factor)\(name)"
        }
        if let decimal, number >= 1_000_000_000 { return "\(number / 1_000_000_000)\(decimal)" }
        return "\(number)\(smallest)"
    }
}
