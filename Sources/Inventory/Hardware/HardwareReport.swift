import NetworkAddresses

/// What the agent read of one machine in one boot.
public struct HardwareReport: Codable, Equatable, Sendable {
    public var system: System
    public var firmware: Firmware
    public var processor: Processor
    /// Usable memory, in bytes.
    public var memoryBytes: Int64
    public var disks: [Disk]
    public var nics: [NIC]
    /// A BMC answers in-band (`/dev/ipmi0` or its SMBIOS record).
    public var hasBMC: Bool
    /// Changes with every start of a kernel.
    public var bootID: String

    public init(
        system: System, firmware: Firmware, processor: Processor, memoryBytes: Int64, disks: [Disk], nics: [NIC],
        hasBMC: Bool, bootID: String
    ) {
        (self.system, self.firmware, self.processor, self.memoryBytes) = (system, firmware, processor, memoryBytes)
        (self.disks, self.nics, self.hasBMC, self.bootID) = (disks, nics, hasBMC, bootID)
    }

    /// SMBIOS types 1 to 3.
    public struct System: Codable, Equatable, Sendable {
        public var manufacturer: String?
        public var product: String?
        public var serial: String?
        public var uuid: SystemUUID?
        public var sku: String?
        public var boardSerial: String?
        public var assetTag: String?

        public init(
            manufacturer: String? = nil, product: String? = nil, serial: String? = nil, uuid: SystemUUID? = nil,
            sku: String? = nil, boardSerial: String? = nil, assetTag: String? = nil
        ) {
            (self.manufacturer, self.product, self.serial, self.uuid) = (manufacturer, product, serial, uuid)
            (self.sku, self.boardSerial, self.assetTag) = (sku, boardSerial, assetTag)
        }
    }

    /// SMBIOS type 0, and how the kernel was started.
    public struct Firmware: Codable, Equatable, Sendable {
        public enum Kind: String, Codable, Sendable { case bios, uefi }

        public var kind: Kind
        public var vendor: String?
        public var version: String?
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

    public struct Processor: Codable, Equatable, Sendable {
        /// `amd64` or `arm64`.
        public var architecture: String
        public var model: String?
        public var sockets: Int
        public var cores: Int
        public var threads: Int

        public init(architecture: String, model: String? = nil, sockets: Int, cores: Int, threads: Int) {
            (self.architecture, self.model, self.sockets) = (architecture, model, sockets)
            (self.cores, self.threads) = (cores, threads)
        }
    }
}
