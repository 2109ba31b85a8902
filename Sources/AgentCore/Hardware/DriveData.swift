import Inventory

/// What an ATA drive says of itself: IDENTIFY DEVICE (ACS-4 §7.13), as the page 89h of SCSI's vital product data carries it, which the kernel
/// keeps. Total on any bytes.
struct ATAIdentity: Equatable, Sendable {
    var model: String?
    var serial: String?
    var firmware: String?
    var methods: [EraseMethod]

    /// - Parameter page: with its header. Nil when it is none.
    init?(page: [UInt8]) {
        // SAT-4 §12.4.2.1: IDENTIFY data is 512 bytes from byte 60 on; ECh says that it is of a drive and not of a packet device.
        guard page.count >= 572, page[1] == 0x89, page[56] == 0xec, let words = ATAWords(page[60...]) else {
            return nil
        }
        /// Two letters in a word, the first in its high byte.
        func text(_ places: ClosedRange<Int>) -> String? {
            let bytes = places.flatMap { [UInt8(words[$0] >> 8), UInt8(truncatingIfNeeded: words[$0])] }
            let plain = bytes.map { (0x20..<0x7f).contains($0) ? $0 : 0x20 }
            let trimmed = plain.drop { $0 == 0x20 }.reversed().drop { $0 == 0x20 }.reversed()
            return trimmed.isEmpty ? nil : String(decoding: Array(trimmed), as: UTF8.self)
        }
        (serial, firmware, model) = (text(10...19), text(23...26), text(27...46))
        let (sanitize, security) = (words[59], words[128])
        methods = []
        if sanitize & 1 << 12 != 0 {
            if sanitize & 1 << 13 != 0 { methods.append(.ataSanitizeCrypto) }
            if sanitize & 1 << 15 != 0 { methods.append(.ataSanitizeBlock) }
            if sanitize & 1 << 14 != 0 { methods.append(.ataSanitizeOverwrite) }
        }
        if security & 1 != 0 {
            methods.append(.ataSecureErase)
            if security & 1 << 5 != 0 { methods.append(.ataSecureEraseEnhanced) }
        }
    }
}

/// What an NVMe controller answers. Total on any bytes.
enum NVMeData {
    /// Identify Controller (NVMe Base 2.0, figure 276).
    static func methods(identify data: [UInt8]) -> [EraseMethod]? {
        guard data.count >= 525 else { return nil }
        let (capabilities, commands, format) = (data[328], data[256], data[524])
        var methods: [EraseMethod] = []
        if capabilities & 1 != 0 { methods.append(.nvmeSanitizeCrypto) }
        if capabilities & 2 != 0 { methods.append(.nvmeSanitizeBlock) }
        if capabilities & 4 != 0 { methods.append(.nvmeSanitizeOverwrite) }
        if commands & 2 != 0 {
            if format & 4 != 0 { methods.append(.nvmeFormatCrypto) }
            methods.append(.nvmeFormat)
        }
        return methods
    }

    /// The SMART / Health Information log, 02h (NVMe Base 2.0, figure 207).
    static func health(log: [UInt8]) -> DiskHealth? {
        guard log.count >= 512 else { return nil }
        /// 16 bytes, of which eight are enough for any life.
        func number(_ offset: Int) -> Int64 {
            let high = log[(offset + 7)..<(offset + 16)].contains { $0 != 0 }
            return high ? .max : (0..<7).reversed().reduce(0) { $0 << 8 | Int64(log[offset + $1]) }
        }
        let kelvin = Int(log[1]) | Int(log[2]) << 8
        // Spare below its threshold, reliability degraded, read-only.
        return DiskHealth(
            isFailing: log[0] & 0b1101 != 0, temperatureCelsius: kelvin == 0 ? nil : kelvin - 273,
            poweredOnHours: Int(clamping: number(128)), wearPercent: Int(log[5]), mediaErrors: number(160))
    }
}

/// What ATA and SCSI drives answer. Total on any bytes.
enum SCSIData {
    /// SMART READ DATA (ACS-2 §7.53.6): thirty attributes, whose meaning the makers agree on for these.
    static func health(attributes data: [UInt8], isFailing: Bool?) -> DiskHealth? {
        guard data.count >= 362 else { return nil }
        var health = DiskHealth(isFailing: isFailing)
        for index in 0..<30 {
            let entry = 2 + 12 * index
            let raw = (5..<9).reversed().reduce(Int64(0)) { $0 << 8 | Int64(data[entry + $1]) }
            switch data[entry] {
            // Reallocated sectors, pending ones, and those that cannot be corrected.
            case 5, 197, 198: health.mediaErrors = (health.mediaErrors ?? 0) + raw
            // Some count in the upper bytes something else.
            case 9: health.poweredOnHours = Int(raw & 0xff_ffff)
            case 190 where health.temperatureCelsius == nil, 194: health.temperatureCelsius = Int(raw & 0xff)
            default: continue
            }
        }
        return health
    }

    /// The ATA Status Return descriptor (SAT-4 §12.2.2.6) after SMART RETURN STATUS: F4h and 2Ch say that a threshold was passed.
    static func isFailing(sense: [UInt8]) -> Bool? {
        guard sense.count >= 22, sense[0] & 0x7f == 0x72, sense[8] == 9 else { return nil }
        switch (sense[17], sense[19]) {
        case (0x4f, 0xc2): return false
        case (0xf4, 0x2c): return true
        default: return nil
        }
    }

    /// LOG SENSE, page 2Fh, informational exceptions (SPC-5 §7.3.9).
    static func health(exceptions page: [UInt8]) -> DiskHealth? {
        guard page.count >= 11, page[0] & 0x3f == 0x2f else { return nil }
        return DiskHealth(
            // 5Dh: a failure is predicted.
            isFailing: page[8] == 0x5d, temperatureCelsius: page[10] == 0 || page[10] == 0xff ? nil : Int(page[10]))
    }

    /// REPORT SUPPORTED OPERATION CODES of one command (SPC-5 §6.33.3).
    static func isSupported(answer: [UInt8]) -> Bool { answer.count >= 2 && answer[1] & 7 == 3 }
}
