/// The BMC's in-band interface (DSP0134 §7.39, type 38).
public struct ManagementInterface: Equatable, Sendable {
    /// Table 122. Open.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        public static let kcs = Self(rawValue: 1)
        public static let smic = Self(rawValue: 2)
        public static let bt = Self(rawValue: 3)
        public static let ssif = Self(rawValue: 4)
    }

    public var kind: Kind
    /// Of the IPMI specification: `2.0`.
    public var specification: String

    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .managementInterface, let revision = structure.uint8(at: 5) else { return nil }
        kind = Kind(rawValue: structure.uint8(at: 4) ?? 0)
        specification = "\(revision >> 4).\(revision & 15)"
    }
}

/// The TPM (DSP0134 §7.44, type 43).
public struct TPMInformation: Equatable, Sendable {
    /// Four letters, such as `IFX`, without what fills them up.
    public var vendor: String
    /// Of the TPM specification: `2.0`.
    public var specification: String
    public var description: String?

    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .tpm, let vendor = structure.bytes(at: 4, 4), let major = structure.uint8(at: 8),
            let minor = structure.uint8(at: 9)
        else { return nil }
        self.vendor = String(decoding: vendor.filter { $0 > 0x20 && $0 < 0x7f }, as: UTF8.self)
        specification = "\(major).\(minor)"
        description = structure.text(at: 0x12)
    }
}
