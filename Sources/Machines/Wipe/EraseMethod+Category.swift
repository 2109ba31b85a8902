import Inventory

/// How hard it is to get at data after an erasure, in NIST's words (SP 800-88 Rev. 2, §3.1). Destroying a drive is nothing that a program does.
public enum SanitizationCategory: String, Codable, Sendable, CaseIterable, Comparable {
    /// No sanitization: data may be there.
    case none
    /// Not to be had by the drive's own interface.
    case clear
    /// Not to be had in a laboratory either.
    case purge

    public static func < (left: Self, right: Self) -> Bool {
        let order: [Self] = [.none, .clear, .purge]
        return (order.firstIndex(of: left) ?? 0) < (order.firstIndex(of: right) ?? 0)
    }
}

extension EraseMethod {
    /// What the method is worth on a drive. SP 800-88 Rev. 2 names no commands and refers to IEEE 2883; where sources differ, the lower one stands,
    /// so that no certificate says too much.
    ///
    /// - NVMe Format reaches what namespaces hold, Sanitize all that the subsystem holds, with caches and spare blocks; only a Sanitize can be asked
    ///   to purge in the sense of IEEE 2883 (NVMe Base 2.1 §5.1.22, PREQ). SP 800-88 Rev. 1, table A-8, was content with Format.
    /// - ATA Security's enhanced erase reaches reallocated sectors (ACS-4 §7.38), which is enough on magnetic drives (SP 800-88 Rev. 1, table A-5). On
    ///   flash it is a clear (table A-8): makers differ in what they do.
    /// - A discard promises nothing of what is read afterwards, and a quick erasure leaves the data where it is.
    public func category(rotational: Bool) -> SanitizationCategory {
        switch self {
        case .nvmeSanitizeCrypto, .nvmeSanitizeBlock, .nvmeSanitizeOverwrite, .ataSanitizeCrypto, .ataSanitizeBlock,
            .ataSanitizeOverwrite, .scsiSanitizeCrypto, .scsiSanitizeBlock, .scsiSanitizeOverwrite:
            .purge
        case .ataSecureEraseEnhanced: rotational ? .purge : .clear
        case .ataSecureErase, .nvmeFormat, .nvmeFormatCrypto, .overwrite: .clear
        case .discard, .quick: .none
        }
    }

    /// What the method is worth on any drive.
    public var category: SanitizationCategory { category(rotational: false) }

    /// The technique, as IEEE 2883 calls it, and the command that does it.
    public var term: String {
        switch self {
        case .nvmeSanitizeCrypto: "cryptographic erase (NVMe Sanitize)"
        case .nvmeSanitizeBlock: "block erase (NVMe Sanitize)"
        case .nvmeSanitizeOverwrite: "overwrite (NVMe Sanitize)"
        case .nvmeFormatCrypto: "cryptographic erase (NVMe Format)"
        case .nvmeFormat: "user data erase (NVMe Format)"
        case .ataSanitizeCrypto: "cryptographic erase (ATA CRYPTO SCRAMBLE EXT)"
        case .ataSanitizeBlock: "block erase (ATA BLOCK ERASE EXT)"
        case .ataSanitizeOverwrite: "overwrite (ATA OVERWRITE EXT)"
        case .ataSecureErase: "secure erase (ATA SECURITY ERASE UNIT)"
        case .ataSecureEraseEnhanced: "enhanced secure erase (ATA SECURITY ERASE UNIT)"
        case .scsiSanitizeCrypto: "cryptographic erase (SCSI SANITIZE)"
        case .scsiSanitizeBlock: "block erase (SCSI SANITIZE)"
        case .scsiSanitizeOverwrite: "overwrite (SCSI SANITIZE)"
        case .discard: "deallocation"
        case .overwrite: "overwrite by the host, one pass of zeros"
        case .quick: "removal of labels"
        }
    }

    /// Carried out on an NVMe controller, with all of its namespaces.
    public var isOfWholeController: Bool {
        switch self {
        case .nvmeSanitizeCrypto, .nvmeSanitizeBlock, .nvmeSanitizeOverwrite, .nvmeFormatCrypto, .nvmeFormat: true
        default: false
        }
    }

    /// All that the drive commands are, the best first: a block erase is done in minutes and leaves no charge behind, a crypto erase rests on the
    /// drive's key handling, an overwrite takes hours.
    static let byWorth: [EraseMethod] = [
        .nvmeSanitizeBlock, .nvmeSanitizeCrypto, .nvmeSanitizeOverwrite, .ataSanitizeBlock, .ataSanitizeCrypto,
        .ataSanitizeOverwrite, .scsiSanitizeBlock, .scsiSanitizeCrypto, .scsiSanitizeOverwrite,
        .ataSecureEraseEnhanced, .nvmeFormatCrypto, .nvmeFormat, .ataSecureErase, .overwrite,
    ]
}
