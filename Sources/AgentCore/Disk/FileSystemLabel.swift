/// The label that a file system's first bytes tell. Pure.
enum FileSystemLabel {
    /// Bytes that have to be read: the superblock of btrfs lies farthest.
    static let bytes = 0x1_0000 + 4096

    /// Nil for a file system that is not known, or has no label.
    static func of(_ head: [UInt8]) -> String? {
        func text(_ offset: Int, _ count: Int) -> String? {
            guard head.count >= offset + count else { return nil }
            let label = head[offset..<offset + count].prefix { $0 != 0 }
            let trimmed = label.reversed().drop { $0 == UInt8(ascii: " ") }.reversed()
            return trimmed.isEmpty ? nil : String(decoding: Array(trimmed), as: UTF8.self)
        }
        func has(_ magic: [UInt8], at offset: Int) -> Bool {
            head.count >= offset + magic.count && head[offset..<offset + magic.count].elementsEqual(magic)
        }
        // ext2 to 4: Documentation/filesystems/ext4/super.rst, s_magic and s_volume_name.
        if has([0x53, 0xef], at: 0x438) { return text(0x478, 16) }
        // XFS: sb_magicnum and sb_fname.
        if has(Array("XFSB".utf8), at: 0) { return text(108, 12) }
        // btrfs: magic and label of the first superblock.
        if has(Array("_BHRfS_M".utf8), at: 0x1_0040) { return text(0x1_012b, 256) }
        // FAT32, and FAT12 or FAT16: BS_VolLab.
        if has(Array("FAT32".utf8), at: 82) { return text(71, 11) }
        if has(Array("FAT".utf8), at: 54) { return text(43, 11) }
        return nil
    }
}
