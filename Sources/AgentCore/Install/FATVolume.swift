/// What a FAT file system's first sector says of it. Pure.
enum FATVolume {
    /// The volume id as GRUB and `blkid` write it, such as `7E1F-02AB`; nil when the sector is no FAT's.
    /// Microsoft's FAT specification 1.03: BS_VolID at 67 for FAT32, at 39 for the others, after a signature byte of 28h or 29h.
    static func id(ofSector sector: [UInt8]) -> String? {
        guard sector.count >= 90 else { return nil }
        let isFAT32 = sector[82..<87].elementsEqual("FAT32".utf8)
        guard isFAT32 || sector[54..<57].elementsEqual("FAT".utf8) else { return nil }
        let offset = isFAT32 ? 67 : 39
        guard [0x28, 0x29].contains(sector[offset - 1]) else { return nil }
        let digits = sector[offset..<offset + 4].reversed().map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }
        return digits[..<2].joined() + "-" + digits[2...].joined()
    }
}
