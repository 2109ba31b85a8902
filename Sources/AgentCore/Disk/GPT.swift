import WireBytes

/// A GUID partition table (UEFI 2.10 §5.3), read from an image and written for the disk it lands on. Pure.
struct GPT: Equatable {
    /// One partition.
    struct Entry: Equatable {
        /// Counted from 1, as the kernel does.
        var number: Int
        var type: [UInt8]
        var unique: [UInt8]
        /// First and last block, both included.
        var blocks: ClosedRange<UInt64>
        var name: String

        /// C12A7328-F81F-11D2-BA4B-00A0C93EC93B (UEFI 2.10 table 5.7), as it lies on the disk.
        static let efiSystem: [UInt8] = [
            0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b,
        ]

        /// Its GUID as Linux writes it (PARTUUID): the first three groups are little-endian (RFC 9562 §4 tells others).
        var uniqueText: String {
            let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
            let digits = order.map { index in
                (unique[index] < 16 ? "0" : "") + String(unique[index], radix: 16)
            }
            return [digits[0..<4], digits[4..<6], digits[6..<8], digits[8..<10], digits[10...]].map { $0.joined() }
                .joined(separator: "-")
        }
    }

    static let blockBytes = 512
    /// Header, then 128 entries of 128 bytes.
    static let tableBlocks = 33

    /// The header's 92 bytes.
    private(set) var header: [UInt8]
    /// All entries as they stand in the image.
    private(set) var entryBytes: [UInt8]
    let entries: [Entry]

    /// Reads the first MiB of an image.
    /// - Throws: ``GPTError`` for anything but a sound table of 512-byte blocks.
    init(head: [UInt8]) throws(GPTError) {
        guard head.count >= Self.blockBytes * (Self.tableBlocks + 1) else {
            throw GPTError("the image is shorter than a partition table")
        }
        guard head[512..<520].elementsEqual("EFI PART".utf8) else {
            throw GPTError("the image has no GPT for 512-byte blocks")
        }
        header = Array(head[512..<512 + 92])
        do {
            var reader = ByteReader(header)
            _ = try reader.take(12, "signature")
            guard try reader.uint32LE("header size") == 92 else {
                throw GPTError("the GPT header is not 92 bytes long")
            }
            let sum = try reader.uint32LE("header CRC")
            var blank = header
            blank.replaceSubrange(16..<20, with: [0, 0, 0, 0])
            guard CRC32.of(blank) == sum else { throw GPTError("the GPT header's checksum is wrong") }
            _ = try reader.take(4 + 8 + 8 + 8 + 8 + 16, "positions")
            guard try reader.uint64LE("table position") == 2 else {
                throw GPTError("the GPT's entries are not at block 2")
            }
            let (count, size) = (try reader.uint32LE("entry count"), try reader.uint32LE("entry size"))
            guard count == 128, size == 128 else {
                throw GPTError("the GPT has \(count) entries of \(size) bytes, not 128 of 128")
            }
            let tableSum = try reader.uint32LE("table CRC")
            entryBytes = Array(head[1024..<1024 + 128 * 128])
            guard CRC32.of(entryBytes) == tableSum else { throw GPTError("the checksum of the GPT's entries is wrong") }
        } catch let error as GPTError {
            throw error
        } catch {
            throw GPTError("\(error)")
        }
        var entries: [Entry] = []
        for index in 0..<128 {
            let bytes = Array(entryBytes[index * 128..<index * 128 + 128])
            guard bytes[0..<16].contains(where: { $0 != 0 }) else { continue }
            let (first, last) = (Self.number(bytes[32..<40]), Self.number(bytes[40..<48]))
            guard first <= last else { throw GPTError("partition \(index + 1) ends before it begins") }
            let units = stride(from: 56, to: 128, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
            entries.append(
                Entry(
                    number: index + 1, type: Array(bytes[0..<16]), unique: Array(bytes[16..<32]), blocks: first...last,
                    name: String(decoding: units.prefix { $0 != 0 }, as: UTF16.self)))
        }
        self.entries = entries
    }

    /// The table for a disk of another size: the backup moves to its end.
    /// - Parameter diskBytes: a multiple of 512.
    /// - Throws: ``GPTError`` when a partition would lie beyond the disk.
    mutating func fit(diskBytes: Int64) throws(GPTError) {
        let lastBlock = UInt64(diskBytes) / UInt64(Self.blockBytes) - 1
        let lastUsable = lastBlock - UInt64(Self.tableBlocks)
        if let beyond = entries.first(where: { $0.blocks.upperBound > lastUsable }) {
            throw GPTError(
                "partition \(beyond.name) ends at block \(beyond.blocks.upperBound), the disk's last usable one is \(lastUsable)"
            )
        }
        put(1, at: 24)
        put(lastBlock, at: 32)
        put(lastUsable, at: 48)
        put(2, at: 72)
        seal()
    }

    /// The first MiB of `head` with this table in it. The protective MBR covers the disk; its entry is never active, since
    /// EDK2 refuses such a table.
    func primary(in head: [UInt8], diskBytes: Int64) -> [UInt8] {
        var bytes = head
        let blocks = min(UInt64(diskBytes) / UInt64(Self.blockBytes) - 1, UInt64(UInt32.max))
        for index in 0..<4 { bytes[458 + index] = UInt8(truncatingIfNeeded: blocks >> UInt64(8 * index)) }
        bytes[446] = 0
        bytes.replaceSubrange(512..<512 + header.count, with: header)
        bytes.replaceSubrange(1024..<1024 + entryBytes.count, with: entryBytes)
        return bytes
    }

    /// The disk's last 33 blocks: entries, then the backup header.
    func backup(diskBytes: Int64) -> [UInt8] {
        var copy = self
        let lastBlock = UInt64(diskBytes) / UInt64(Self.blockBytes) - 1
        copy.put(lastBlock, at: 24)
        copy.put(1, at: 32)
        copy.put(lastBlock - UInt64(Self.tableBlocks) + 1, at: 72)
        copy.seal()
        return entryBytes + copy.header + Array(repeating: 0, count: Self.blockBytes - copy.header.count)
    }

    /// The unique GUIDs of all partitions that a disk's first bytes tell of, whatever its block size, sound or not. Total on any bytes.
    static func partitions(head: [UInt8]) -> Set<[UInt8]> {
        var found: Set<[UInt8]> = []
        for block in [512, 4096] where head.count >= 3 * block && head[block..<block + 8].elementsEqual("EFI PART".utf8)
        {
            let size = Int(clamping: number(head[block + 84..<block + 88]))
            let count = Int(clamping: number(head[block + 80..<block + 84]))
            guard (128...4096).contains(size) else { continue }
            for start in stride(from: 2 * block, to: 2 * block + min(count, 256) * size, by: size) {
                guard start + 32 <= head.count else { break }
                let entry = head[start..<start + 32]
                if entry.prefix(16).contains(where: { $0 != 0 }) { found.insert(Array(entry.suffix(16))) }
            }
        }
        return found
    }

    private mutating func put(_ value: UInt64, at offset: Int) {
        for index in 0..<8 { header[offset + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
    }

    private mutating func seal() {
        header.replaceSubrange(16..<20, with: [0, 0, 0, 0])
        let sum = CRC32.of(header)
        for index in 0..<4 { header[16 + index] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * index)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// A partition table that is not sound, or does not fit.
struct GPTError: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// The CRC of GPT and Ethernet: polynomial EDB88320, reflected.
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xedb8_8320 : value >> 1 }
    }

    static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }
}
