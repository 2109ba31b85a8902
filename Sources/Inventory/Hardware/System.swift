extension HardwareReport {
    /// The machine as a whole (SMBIOS type 1).
    public struct System: Codable, Equatable, Sendable {
        public var manufacturer: String?
        public var product: String?
        public var serial: String?
        public var uuid: SystemUUID?
        public var sku: String?
        public var family: String?

        public init(
            manufacturer: String? = nil, product: String? = nil, serial: String? = nil, uuid: SystemUUID? = nil,
            sku: String? = nil, family: String? = nil
        ) {
            (self.manufacturer, self.product, self.serial, self.uuid) = (manufacturer, product, serial, uuid)
            (self.sku, self.family) = (sku, family)
        }
    }

    /// Its main board (SMBIOS type 2).
    public struct Board: Codable, Equatable, Sendable {
        public var manufacturer: String?
        public var product: String?
        public var version: String?
        public var serial: String?
        public var assetTag: String?

        public init(
            manufacturer: String? = nil, product: String? = nil, version: String? = nil, serial: String? = nil,
            assetTag: String? = nil
        ) {
            (self.manufacturer, self.product, self.version) = (manufacturer, product, version)
            (self.serial, self.assetTag) = (serial, assetTag)
        }
    }

    /// What it is built into (SMBIOS type 3).
    public struct Chassis: Codable, Equatable, Sendable {
        public var manufacturer: String?
        /// `rack mount chassis`, `blade`.
        public var kind: String?
        public var serial: String?
        public var assetTag: String?
        public var sku: String?
        public var heightUnits: Int?

        public init(
            manufacturer: String? = nil, kind: String? = nil, serial: String? = nil, assetTag: String? = nil,
            sku: String? = nil, heightUnits: Int? = nil
        ) {
            (self.manufacturer, self.kind, self.serial) = (manufacturer, kind, serial)
            (self.assetTag, self.sku, self.heightUnits) = (assetTag, sku, heightUnits)
        }
    }

    /// SMBIOS type 0, and how the kernel was started.
    public struct Firmware: Codable, Equatable, Sendable {
        public enum Kind: String, Codable, Sendable { case bios, uefi }

        public var kind: Kind
        public var vendor: String?
        public var version: String?
        /// As the firmware writes it.
        public var date: String?
        /// Nil on BIOS and where UEFI does not tell.
        public var secureBoot: Bool?

        public init(
            kind: Kind, vendor: String? = nil, version: String? = nil, date: String? = nil, secureBoot: Bool? = nil
        ) {
            (self.kind, self.vendor, self.version) = (kind, vendor, version)
            (self.date, self.secureBoot) = (date, secureBoot)
        }
    }

    public struct TPM: Codable, Equatable, Sendable {
        /// Of the TPM specification: `2.0`, `1.2`.
        public var version: String
        /// SHA-256 of its endorsement key's public area, in hex: no other TPM has it.
        public var endorsementKeyHash: String?

        public init(version: String, endorsementKeyHash: String? = nil) {
            (self.version, self.endorsementKeyHash) = (version, endorsementKeyHash)
        }
    }

    /// The BMC's own words, over its in-band interface.
    public struct BMC: Codable, Equatable, Sendable {
        /// Such as `2.84`.
        public var firmware: String
        /// Of the IPMI specification: `2.0`.
        public var specification: String
        /// IANA's number of its maker.
        public var manufacturer: Int?
        public var product: Int?
        /// Of the first LAN channel; nil: none, or 0.0.0.0.
        public var address: String?
        public var mac: String?
        public var vlan: Int?

        public init(
            firmware: String, specification: String, manufacturer: Int? = nil, product: Int? = nil,
            address: String? = nil, mac: String? = nil, vlan: Int? = nil
        ) {
            (self.firmware, self.specification) = (firmware, specification)
            (self.manufacturer, self.product) = (manufacturer, product)
            (self.address, self.mac, self.vlan) = (address, mac, vlan)
        }
    }
}
