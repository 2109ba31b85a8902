/// What an ATA drive says of its Security and Sanitize feature sets: IDENTIFY DEVICE, 512 bytes (ACS-4 §7.13.6). Total on any bytes.
struct ATASecurity: Equatable {
    var isSupported: Bool
    /// A user password is set.
    var isEnabled: Bool
    var isLocked: Bool
    var isFrozen: Bool
    /// Five wrong passwords: it takes none until the next power cycle.
    var isExpired: Bool
    var hasEnhanced: Bool
    /// In minutes; nil: not told.
    var eraseMinutes: Int?
    var enhancedMinutes: Int?
    /// Word 59.
    var hasSanitize: Bool
    var hasCrypto: Bool
    var hasOverwrite: Bool
    var hasBlock: Bool

    /// - Parameter identify: nil when it is cut.
    init?(identify data: [UInt8]) {
        guard let words = ATAWords(data) else { return nil }
        /// Words 89 and 90: units of two minutes, in 8 bits or, where bit 15 says so, in 15.
        func minutes(_ index: Int) -> Int? {
            let value = words[index]
            let units = value & 0x8000 != 0 ? value & 0x7fff : value & 0xff
            return units == 0 ? nil : Int(units) * 2
        }
        let (security, sanitize) = (words[128], words[59])
        isSupported = security & 1 != 0 && words[82] & 2 != 0
        isEnabled = security & 2 != 0
        isLocked = security & 4 != 0
        isFrozen = security & 8 != 0
        isExpired = security & 16 != 0
        hasEnhanced = security & 32 != 0
        (eraseMinutes, enhancedMinutes) = (minutes(89), minutes(90))
        hasSanitize = sanitize & 1 << 12 != 0
        hasCrypto = sanitize & 1 << 13 != 0
        hasOverwrite = sanitize & 1 << 14 != 0
        hasBlock = sanitize & 1 << 15 != 0
    }
}

/// What SANITIZE STATUS EXT returns (ACS-4 §7.32.8), out of the ATA Status Return descriptor (SAT-4 §12.2.2.6). Total on any bytes.
struct ATASanitizeStatus: Equatable {
    enum State: Equatable {
        case idle(lastSucceeded: Bool)
        case frozen
        case inProgress(Double)
        /// Blocks are shut away until a sanitize operation succeeds.
        case failed
    }

    var state: State

    /// - Parameter sense: nil when it tells no registers, or the drive does not have the command.
    init?(sense: [UInt8]) {
        guard sense.count >= 22, sense[0] & 0x7f == 0x72, sense[8] == 9 else { return nil }
        let count = UInt16(sense[12]) << 8 | UInt16(sense[13])
        let place = UInt16(sense[17]) << 8 | UInt16(sense[15])
        let (error, status) = (sense[11], sense[21])
        if status & 1 != 0 {
            // Aborted; the low byte of LBA says why: 1, the last operation failed; 3, frozen.
            guard error & 4 != 0 else { return nil }
            switch sense[15] {
            case 1: state = .failed
            case 3: state = .frozen
            default: return nil
            }
        } else if count & 1 << 14 != 0 {
            state = .inProgress(Double(place) / 65536)
        } else if count & 1 << 13 != 0 {
            state = .frozen
        } else {
            state = .idle(lastSucceeded: count & 1 << 15 != 0)
        }
    }
}
