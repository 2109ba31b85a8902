/// Bytes as a Zstandard frame (RFC 8878) without compressing them: for readers that insist on the format.
public enum ZstdFrame {
    public static func stored(_ bytes: [UInt8]) -> [UInt8] {
        // Magic number (§3.1.1), then a single segment with its size in as many bytes as it takes; in two it is less by 256 (§3.1.1.1).
        var frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd]
        switch bytes.count {
        case ..<256: frame += [0x20, UInt8(bytes.count)]
        case ..<65_792: frame += [0x60] + littleEndian(bytes.count - 256, 2)
        default: frame += [0xa0] + littleEndian(bytes.count, 4)
        }
        // Raw blocks of at most 128 KiB, of which the last one says so (§3.1.1.2).
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(128 << 10)
            rest = rest.dropFirst(block.count)
            frame += littleEndian(block.count << 3 | (rest.isEmpty ? 1 : 0), 3) + block
        } while !rest.isEmpty
        return frame
    }

    private static func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
}
