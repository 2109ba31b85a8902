/// Inventory of a part (Platform Management FRU Information Storage Definition v1.0): who made it, and its numbers.
public struct FRUInformation: Equatable, Sendable {
    public struct Chassis: Equatable, Sendable {
        public var part: String?
        public var serial: String?
    }

    public struct Board: Equatable, Sendable {
        /// Seconds since 1970; nil when not told.
        public var made: Int?
        public var manufacturer: String?
        public var product: String?
        public var serial: String?
        public var part: String?
    }

    public struct Product: Equatable, Sendable {
        public var manufacturer: String?
        public var name: String?
        public var part: String?
        public var version: String?
        public var serial: String?
        public var asset: String?
    }

    public var chassis: Chassis?
    public var board: Board?
    public var product: Product?
    /// What is broken in it: such an area is not believed.
    public var faults: [String] = []

    public init() {}

    /// Reads a whole inventory; what is not there or broken is nil.
    public init(_ bytes: [UInt8]) {
        guard let header = FRUHeader(bytes) else {
            faults = ["no common header"]
            return
        }
        for (kind, offset) in header.areas {
            guard offset + 2 <= bytes.count, case let length = Int(bytes[offset + 1]) * 8, length > 0,
                offset + length <= bytes.count
            else {
                faults.append("the \(kind.rawValue) area is cut off")
                continue
            }
            add(kind, Array(bytes[offset..<offset + length]))
        }
    }

    /// Reads one area, whole.
    mutating func add(_ kind: FRUHeader.Area, _ area: [UInt8]) {
        guard area.reduce(0, &+) == 0 else {
            faults.append("the checksum of the \(kind.rawValue) area is wrong")
            return
        }
        switch kind {
        case .chassis:
            let fields = Self.fields(area.dropFirst(3), isEnglish: true)
            chassis = Chassis(part: fields[0], serial: fields[1])
        case .board:
            guard area.count > 6 else { return }
            // Minutes since 1996-01-01 (§11).
            let minutes = Int(area[3]) | Int(area[4]) << 8 | Int(area[5]) << 16
            let fields = Self.fields(area.dropFirst(6), isEnglish: Self.isEnglish(area[2]))
            board = Board(
                made: minutes == 0 ? nil : 820_454_400 + minutes * 60, manufacturer: fields[0], product: fields[1],
                serial: fields[2], part: fields[3])
        case .product:
            let fields = Self.fields(area.dropFirst(3), isEnglish: area.count > 2 && Self.isEnglish(area[2]))
            product = Product(
                manufacturer: fields[0], name: fields[1], part: fields[2], version: fields[3], serial: fields[4],
                asset: fields[5])
        }
    }

    /// Codes 0 and 25 (§15); other languages write text in two bytes a character.
    private static func isEnglish(_ language: UInt8) -> Bool { language == 0 || language == 25 }

    /// The first six fields; nil for one that is empty or not there.
    private static func fields(_ bytes: ArraySlice<UInt8>, isEnglish: Bool) -> [String?] {
        var (fields, rest) = ([String?](), bytes)
        // C1h ends the fields.
        while fields.count < 6, let head = rest.popFirst(), head != 0xc1 {
            let value = rest.prefix(Int(head & 0x3f))
            rest = rest.dropFirst(value.count)
            let type = head >> 6
            let text =
                type == 3 && !isEnglish
                ? TypedText.decode(type: 0, value, isUnicode: true) : TypedText.decode(type: type, value)
            fields.append(text.isEmpty ? nil : text)
        }
        return fields + Array(repeating: nil, count: 6 - fields.count)
    }
}

/// The first eight bytes of an inventory (§8).
struct FRUHeader {
    enum Area: String, Sendable, CaseIterable { case chassis, board, product }

    /// Areas that are there and their offsets in bytes.
    var areas: [(kind: Area, offset: Int)]

    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 8, bytes[0] & 15 == 1, bytes[0..<8].reduce(0, &+) == 0 else { return nil }
        areas = zip(Area.allCases, bytes[2...4]).compactMap { $1 == 0 ? nil : ($0, Int($1) * 8) }
    }
}
