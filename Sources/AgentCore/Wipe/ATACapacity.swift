/// How many sectors an ATA drive shows, and which of its feature sets may hide more: IDENTIFY DEVICE, 512 bytes (ACS-2 §7.12, ACS-4 §7.13.6). Total on any
/// bytes.
struct ATACapacity: Equatable {
    /// The command that tells the last sector there is, hidden or not.
    enum NativeCommand: UInt8 {
        /// GET NATIVE MAX ADDRESS EXT, feature 0000h, of Accessible Max Address Configuration (ACS-4).
        case addressConfiguration = 0x78
        /// READ NATIVE MAX ADDRESS EXT, of Host Protected Area (ACS-2).
        case protectedArea = 0x27
        /// READ NATIVE MAX ADDRESS, for a drive with addresses of 28 bits (ACS-2).
        case shortProtectedArea = 0xf8

        var isExtended: Bool { self != .shortProtectedArea }
    }

    /// That reads and writes reach.
    var sectors: UInt64
    /// Nil: it has neither of the two feature sets.
    var native: NativeCommand?
    /// Device Configuration Overlay.
    var hasOverlay: Bool

    /// - Parameter identify: nil when it is cut.
    init?(identify data: [UInt8]) {
        guard let words = ATAWords(data) else { return nil }
        let hasLongAddresses = words.hasFeature(83, bit: 10)
        sectors = words.number(hasLongAddresses ? 100..<104 : 60..<62)
        // Word 82 says by word 83 that it is valid.
        let hasProtectedArea = words[83] >> 14 == 1 && words[82] & 1 << 10 != 0
        native =
            words[86] & 1 << 15 != 0 && words.hasFeature(119, bit: 8)
            ? .addressConfiguration
            : hasProtectedArea ? hasLongAddresses ? .protectedArea : .shortProtectedArea : nil
        hasOverlay = words.hasFeature(83, bit: 11)
    }

    /// The last sector in the answer of a native command, out of the ATA Status Return descriptor (SAT-4 §12.2.2.6); nil: the drive refused, or its
    /// controller tells no registers. Sense data of the fixed format has no room for all of them.
    static func lastSector(sense: [UInt8], of command: NativeCommand) -> UInt64? {
        guard sense.count >= 22, sense[0] & 0x7f == 0x72, sense[8] == 9, sense[21] & 1 == 0 else { return nil }
        guard !command.isExtended else {
            return [18, 16, 14, 19, 17, 15].reduce(0) { $0 << 8 | UInt64(sense[$1]) }
        }
        // The four highest bits are in the device register.
        return [19, 17, 15].reduce(UInt64(sense[20] & 0xf)) { $0 << 8 | UInt64(sense[$1]) }
    }

    /// The last sector that DEVICE CONFIGURATION IDENTIFY tells: words 3 to 6 (ACS-2 §7.5.3); nil when it is cut or tells none.
    static func lastSector(overlay data: [UInt8]) -> UInt64? {
        guard let last = ATAWords(data)?.number(3..<7), last != 0 else { return nil }
        return last
    }
}
