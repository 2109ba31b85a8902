/// The firmware (DSP0134 §7.1, type 0).
public struct FirmwareInformation: Equatable, Sendable {
    public var vendor: String?
    public var version: String?
    /// As it is written: `mm/dd/yyyy`, of old `mm/dd/yy`.
    public var date: String?
    public var isUEFI: Bool
    public var isVirtualMachine: Bool

    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .firmware else { return nil }
        (vendor, version, date) = (structure.text(at: 4), structure.text(at: 5), structure.text(at: 8))
        // The second byte of the extended characteristics.
        let characteristics = structure.uint8(at: 0x13) ?? 0
        (isUEFI, isVirtualMachine) = (characteristics & 8 != 0, characteristics & 16 != 0)
    }
}

/// The machine as a whole (DSP0134 §7.2, type 1).
public struct SystemInformation: Equatable, Sendable {
    public var manufacturer: String?
    public var product: String?
    public var version: String?
    public var serial: String?
    /// 16 bytes in the table's order: since version 2.6 the first three fields are little-endian.
    public var uuid: [UInt8]?
    public var sku: String?
    public var family: String?

    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .system else { return nil }
        (manufacturer, product) = (structure.text(at: 4), structure.text(at: 5))
        (version, serial) = (structure.text(at: 6), structure.text(at: 7))
        uuid = structure.bytes(at: 8, 16)
        (sku, family) = (structure.text(at: 0x19), structure.text(at: 0x1a))
    }
}

/// A board (DSP0134 §7.3, type 2).
public struct BoardInformation: Equatable, Sendable {
    public var manufacturer: String?
    public var product: String?
    public var version: String?
    public var serial: String?
    public var assetTag: String?
    /// A motherboard.
    public var isHosting: Bool

    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .board else { return nil }
        (manufacturer, product) = (structure.text(at: 4), structure.text(at: 5))
        (version, serial, assetTag) = (structure.text(at: 6), structure.text(at: 7), structure.text(at: 8))
        isHosting = structure.uint8(at: 9).map { $0 & 1 != 0 } ?? false
    }
}

/// The enclosure (DSP0134 §7.4, type 3).
public struct ChassisInformation: Equatable, Sendable {
    /// Its form (table 17). Open.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        public let rawValue: UInt8

        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// In the specification's words, lower case; nil for what says nothing and for numbers without a name here.
        public var name: String? { Self.names[rawValue] }

        private static let names: [UInt8: String] = [
            3: "desktop", 4: "low profile desktop", 6: "mini tower", 7: "tower", 9: "laptop", 10: "notebook",
            0x0d: "all in one", 0x11: "main server chassis", 0x17: "rack mount chassis", 0x18: "sealed-case pc",
            0x19: "multi-system chassis", 0x1c: "blade", 0x1d: "blade enclosure", 0x22: "embedded pc", 0x23: "mini pc",
        ]
    }

    public var manufacturer: String?
    public var kind: Kind
    public var version: String?
    public var serial: String?
    public var assetTag: String?
    public var sku: String?
    /// Rack units; nil: not told.
    public var heightUnits: Int?

    public init?(_ structure: SMBIOSStructure) {
        guard structure.kind == .chassis else { return nil }
        manufacturer = structure.text(at: 4)
        // The highest bit says that there is a lock.
        kind = Kind(rawValue: (structure.uint8(at: 5) ?? 2) & 0x7f)
        (version, serial, assetTag) = (structure.text(at: 6), structure.text(at: 7), structure.text(at: 8))
        heightUnits = structure.uint8(at: 0x11).flatMap { $0 == 0 ? nil : Int($0) }
        let (count, length) = (Int(structure.uint8(at: 0x13) ?? 0), Int(structure.uint8(at: 0x14) ?? 0))
        sku = structure.text(at: 0x15 + count * length)
    }
}
