/// A machine's UUID as SMBIOS (DSP0134, type 1) holds it: 16 bytes, the first three fields little-endian since version 2.6.
public struct SystemUUID: Hashable, Sendable {
    /// In the order of the SMBIOS table.
    public let bytes: [UInt8]

    /// Nil unless there are 16 bytes.
    public init?(smbios bytes: [UInt8]) {
        guard bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// All zero ("not settable") and all ones ("not present") tell nothing.
    public var isMeaningful: Bool { Set(bytes) != [0] && Set(bytes) != [0xff] }

    /// The same value with its first three fields byte-swapped: how other software may show it.
    public var swapped: SystemUUID {
        let order = [3, 2, 1, 0, 5, 4, 7, 6] + Array(8..<16)
        return SystemUUID(smbios: order.map { bytes[$0] }) ?? self
    }

    /// Equal in either byte order.
    public func isSame(as other: SystemUUID) -> Bool { self == other || self == other.swapped }
}

extension SystemUUID: LosslessStringConvertible {
    /// Reads `4c4c4544-0042-…`, as Linux and dmidecode write it.
    public init?(_ description: String) {
        let digits = description.filter { $0 != "-" }
        guard digits.utf8.count == 32, description.utf8.count == 36 || description.utf8.count == 32 else { return nil }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        guard let canonical = SystemUUID(smbios: bytes) else { return nil }
        self = canonical.swapped
    }

    public var description: String {
        let digits = swapped.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let groups = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16]
        return groups.map { digits[$0].joined() }.joined(separator: "-")
    }
}

extension SystemUUID: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let uuid = Self(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not a UUID")
        }
        self = uuid
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
