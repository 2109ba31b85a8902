/// How many sectors an ATA drive shows, and which of its feature sets may hide more: IDENTIFY DEVICE, 512 bytes (ACS-2 §7.12, ACS-4 §7.13.6). Total on any
/// bytes.
struct ATACapacity: Equatable {
    /// That reads and writes reach.
    var sectors: UInt64
    /// Accessible Max Address Configuration.
    var hasAddressConfiguration: Bool
    /// Host Protected Area, in 48 bits.
    var hasProtectedArea: Bool
    /// Device Configuration Overlay.
    var hasOverlay: Bool

    /// - Parameter identify: nil when it is cut.
    init?(identify data: [UInt8]) {
        guard data.count >= 512 else { return nil }
        func word(_ index: Int) -> UInt16 { UInt16(data[2 * index]) | UInt16(data[2 * index + 1]) << 8 }
        func number(_ words: Range<Int>) -> UInt64 { words.reversed().reduce(0) { $0 << 16 | UInt64(word($1)) } }
        /// Words of features are valid when their two highest bits are 01.
        func isValid(_ index: Int) -> Bool { word(index) >> 14 == 1 }
        let hasLongAddresses = isValid(83) && word(83) & 1 << 10 != 0
        sectors = hasLongAddresses ? number(100..<104) : number(60..<62)
        hasAddressConfiguration = word(86) & 1 << 15 != 0 && isValid(119) && word(119) & 1 << 8 != 0
        hasProtectedArea = hasLongAddresses && word(82) & 1 << 10 != 0
        hasOverlay = isValid(83) && word(83) & 1 << 11 != 0
    }

    /// The last sector in the answer of READ NATIVE MAX ADDRESS EXT or GET NATIVE MAX ADDRESS EXT, out of the ATA Status Return descriptor (SAT-4
    /// §12.2.2.6); nil: the drive refused, or tells no registers.
    static func lastSector(sense: [UInt8]) -> UInt64? {
        guard sense.count >= 22, sense[0] & 0x7f == 0x72, sense[8] == 9, sense[21] & 1 == 0 else { return nil }
        return [18, 16, 14, 19, 17, 15].reduce(0) { $0 << 8 | UInt64(sense[$1]) }
    }

    /// The last sector that DEVICE CONFIGURATION IDENTIFY tells: words 3 to 6 (ACS-2 §7.5.3); nil when it is cut or tells none.
    static func lastSector(overlay data: [UInt8]) -> UInt64? {
        guard data.count >= 512 else { return nil }
        let last = data[6..<14].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        return last == 0 ? nil : last
    }
}
