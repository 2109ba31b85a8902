/// Builds FRU information (Platform Management FRU Information Storage Definition v1.0).
public enum SimulatedInventory {
    /// Chassis, board and product, with a serial in 6-bit ASCII, a part number in BCD plus and the rest as text.
    public static let usual: [UInt8] = inventory(
        chassis: [.text("CSE-815"), .text("C8150AB12")],
        board: [.text("Contoso"), .text("X1-Board"), .packed("BRD 42-7"), .decimal("100-23.4")],
        product: [
            .text("Contoso"), .text("Rack Server 1"), .text("RS1"), .text("02"), .text("SN0042"), .text("ASSET-7"),
        ])

    public enum Field: Sendable {
        case text(String), packed(String), decimal(String)

        var bytes: [UInt8] {
            switch self {
            case .text(let text): return [0xc0 | UInt8(text.utf8.count)] + Array(text.utf8)
            case .packed(let text):
                var bits: [Bool] = []
                for byte in text.utf8 { bits += (0..<6).map { (byte &- 0x20) >> $0 & 1 == 1 } }
                bits += Array(repeating: false, count: (8 - bits.count % 8) % 8)
                let bytes = stride(from: 0, to: bits.count, by: 8).map { start in
                    (0..<8).reduce(UInt8(0)) { $0 | (bits[start + $1] ? 1 << UInt8($1) : 0) }
                }
                return [0x80 | UInt8(bytes.count)] + bytes
            case .decimal(let text):
                var digits = text.utf8.map { byte -> UInt8 in
                    switch byte {
                    case 0x30...0x39: byte - 0x30
                    case 0x2d: 11
                    case 0x2e: 12
                    default: 10
                    }
                }
                if digits.count % 2 == 1 { digits.append(10) }
                let bytes = stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
                return [0x40 | UInt8(bytes.count)] + bytes
            }
        }
    }

    public static func inventory(chassis: [Field], board: [Field], product: [Field]) -> [UInt8] {
        let areas = [
            area([1, 0, 0x17], chassis), area([1, 0, 0, 0x40, 0x2c, 0xe0], board), area([1, 0, 0], product),
        ]
        var (header, offset): ([UInt8], Int) = ([1, 0], 1)
        for area in areas {
            header.append(UInt8(offset))
            offset += area.count / 8
        }
        header += [0, 0]
        return header + [0 &- header.reduce(0, &+)] + areas.flatMap { $0 }
    }

    private static func area(_ head: [UInt8], _ fields: [Field]) -> [UInt8] {
        var area = head + fields.flatMap(\.bytes) + [0xc1]
        area += Array(repeating: 0, count: 7 - area.count % 8)
        area[1] = UInt8((area.count + 1) / 8)
        return area + [0 &- area.reduce(0, &+)]
    }
}
