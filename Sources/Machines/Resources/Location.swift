/// Where a machine stands, in people's words: site, row, rack and rack units.
public struct Location: Codable, Equatable, Hashable, Sendable {
    public var site: String?
    public var row: String?
    public var rack: String?
    public var units: RackUnits?

    public init(site: String? = nil, row: String? = nil, rack: String? = nil, units: RackUnits? = nil) {
        (self.site, self.row, self.rack, self.units) = (site, row, rack, units)
    }

    /// Characters of a site's, row's or rack's name.
    public static let nameLimit = 40

    /// What is wrong with it: the field and the reason. Nil: nothing.
    public var fault: (field: String, reason: String)? {
        for (field, name) in [("site", site), ("row", row), ("rack", rack)] {
            guard let name else { continue }
            if let reason = Self.fault(ofName: name) { return (field, reason) }
        }
        if units != nil, rack == nil { return ("unit", "a rack unit is of a rack: say which") }
        return self == Location() ? ("location", "it says nothing") : nil
    }

    private static func fault(ofName name: String) -> String? {
        guard (1...nameLimit).contains(name.count), PlainText.isPlain(name), !name.contains("/"), name != "-" else {
            return "\(name.debugDescription) is not a name: 1 to \(nameLimit) characters, no control characters, no '/'"
        }
        return name.first == " " || name.last == " " ? "\(name.debugDescription) has blanks around it" : nil
    }

    /// Both are in one place that only one machine can be in.
    public func overlaps(_ other: Location) -> Bool {
        guard let units, let others = other.units, rack != nil else { return false }
        return site == other.site && row == other.row && rack == other.rack && units.overlaps(others)
    }
}

extension Location: LosslessStringConvertible {
    /// Reads `site/row/rack/unit`, such as `ams1/3/r12/U4`; a part that is empty or `-` is not told. Nil unless it has four parts and the last is
    /// a rack unit.
    public init?(_ description: String) {
        let parts = description.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4 else { return nil }
        func told(_ part: String) -> String? { part.isEmpty || part == "-" ? nil : part }
        self.init(site: told(parts[0]), row: told(parts[1]), rack: told(parts[2]))
        guard let unit = told(parts[3]) else { return }
        guard let units = RackUnits(unit) else { return nil }
        self.units = units
    }

    public var description: String {
        [site, row, rack, units?.description].map { $0 ?? "-" }.joined(separator: "/")
    }

    /// For a column: rack and unit.
    public var short: String {
        let parts = [rack, units?.description].compactMap { $0 }
        return parts.isEmpty ? [site, row].compactMap { $0 }.joined(separator: "/") : parts.joined(separator: "/")
    }
}

/// The rack units that a machine fills, counted from the bottom of its rack: `U4`, `U12-U13`.
public struct RackUnits: Equatable, Hashable, Sendable {
    /// The lowest.
    public let lowest: Int
    public let height: Int

    /// The tallest racks have less; EIA-310 racks have 42 as a rule.
    public static let limit = 60

    /// Nil unless the units are 1 to ``limit``.
    public init?(lowest: Int, height: Int = 1) {
        guard (1...Self.limit).contains(lowest), (1...Self.limit).contains(height), lowest + height - 1 <= Self.limit
        else { return nil }
        (self.lowest, self.height) = (lowest, height)
    }

    public var highest: Int { lowest + height - 1 }

    public func overlaps(_ other: RackUnits) -> Bool { lowest <= other.highest && other.lowest <= highest }
}

extension RackUnits: LosslessStringConvertible {
    /// Reads `4`, `U4`, `12-13`, `U12-U13`.
    public init?(_ description: String) {
        func number(_ text: Substring) -> Int? {
            let digits = text.first == "U" || text.first == "u" ? text.dropFirst() : text
            return digits.allSatisfy { "0"..."9" ~= $0 } ? Int(digits) : nil
        }
        let parts = description.replacing("–", with: "-").split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let first = number(parts[0]), let last = number(parts[parts.count - 1]),
            (1...Self.limit).contains(first), (first...Self.limit).contains(last)
        else { return nil }
        self.init(lowest: first, height: last - first + 1)
    }

    public var description: String { height == 1 ? "U\(lowest)" : "U\(lowest)-U\(highest)" }
}

extension RackUnits: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let units = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription:
                    "\(text.debugDescription) is not a rack unit such as U4 or U12-U13, at most U\(Self.limit)")
        }
        self = units
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
