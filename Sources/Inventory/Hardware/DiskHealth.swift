/// What a drive says of its own state (SMART).
public struct DiskHealth: Codable, Equatable, Sendable {
    /// It says itself that it will fail; nil: it does not tell.
    public var isFailing: Bool?
    public var temperatureCelsius: Int?
    public var poweredOnHours: Int?
    /// Of the life its maker gives its flash, how much is used up; more than 100 is possible.
    public var wearPercent: Int?
    /// Blocks that could not be read or written, or were replaced.
    public var mediaErrors: Int64?

    public init(
        isFailing: Bool? = nil, temperatureCelsius: Int? = nil, poweredOnHours: Int? = nil, wearPercent: Int? = nil,
        mediaErrors: Int64? = nil
    ) {
        (self.isFailing, self.temperatureCelsius, self.poweredOnHours) = (isFailing, temperatureCelsius, poweredOnHours)
        (self.wearPercent, self.mediaErrors) = (wearPercent, mediaErrors)
    }
}

/// A way to erase a drive that it says it has.
public enum EraseMethod: String, Codable, Sendable, CaseIterable {
    /// NVMe Base 2.0 §5.24, by SANICAP.
    case nvmeSanitizeCrypto = "nvme-sanitize-crypto"
    case nvmeSanitizeBlock = "nvme-sanitize-block"
    case nvmeSanitizeOverwrite = "nvme-sanitize-overwrite"
    /// NVMe Base 2.0 §5.14, by OACS and FNA.
    case nvmeFormatCrypto = "nvme-format-crypto"
    case nvmeFormat = "nvme-format"
    /// ACS-4 §7.33, by word 59.
    case ataSanitizeCrypto = "ata-sanitize-crypto"
    case ataSanitizeBlock = "ata-sanitize-block"
    case ataSanitizeOverwrite = "ata-sanitize-overwrite"
    /// ACS-4 §7.38, by word 128.
    case ataSecureErase = "ata-secure-erase"
    case ataSecureEraseEnhanced = "ata-secure-erase-enhanced"
    /// SBC-4 §5.30, where REPORT SUPPORTED OPERATION CODES says so.
    case scsiSanitizeCrypto = "scsi-sanitize-crypto"
    case scsiSanitizeBlock = "scsi-sanitize-block"
    case scsiSanitizeOverwrite = "scsi-sanitize-overwrite"
    /// The kernel tells the drive that its blocks are free; what is read afterwards is the drive's affair.
    case discard
    case overwrite
    /// Only what makes a disk look used goes: signatures, partition tables at both ends, labels of RAID, LVM, ZFS and Ceph.
    case quick
}
