/// A function on the PCI bus, as its configuration space tells it.
public struct PCIDevice: Codable, Equatable, Sendable {
    /// `0000:3b:00.0`.
    public var address: String
    /// Vendor and device, as `lspci -n` writes them: `10de:20b5`.
    public var id: String
    /// The same of the board it is on: `1028:1f47`.
    public var subsystem: String?
    /// Class, subclass and interface in hex: `030200`.
    public var classCode: String
    public var driver: String?
    /// What is printed beside it: `PCIe Slot 3`.
    public var slot: String?
    /// The NUMA node it is near to.
    public var node: Int?

    public init(
        address: String, id: String, subsystem: String? = nil, classCode: String, driver: String? = nil,
        slot: String? = nil, node: Int? = nil
    ) {
        (self.address, self.id, self.subsystem) = (address, id, subsystem)
        (self.classCode, self.driver, self.slot, self.node) = (classCode, driver, slot, node)
    }

    /// An accelerator: a display or 3D controller, or a processing accelerator (PCI Code and ID Assignment, classes 03h and 12h), but
    /// not what a BMC draws its console with.
    public var isGPU: Bool {
        (classCode.hasPrefix("03") || classCode.hasPrefix("12"))
            && !Self.consoleVendors.contains { id.hasPrefix($0 + ":") }
    }

    /// ASPEED, Matrox (G200 in iDRAC, iLO and others), Cirrus and QEMU's own.
    private static let consoleVendors = ["1a03", "102b", "1013", "1234", "1b36"]
}

/// What disks are connected to.
public struct StorageController: Codable, Equatable, Sendable {
    /// What it shows of its drives.
    public enum Kind: String, Codable, Sendable, CaseIterable {
        /// Virtual drives, which a person has made of its drives.
        case raid
        /// Each drive by itself.
        case hba, sata
    }

    public var kind: Kind
    /// See ``PCIDevice``.
    public var address: String
    public var id: String
    public var driver: String?
    public var slot: String?
    /// Of the disks in the report, those behind it.
    public var disks: Int

    public init(kind: Kind, address: String, id: String, driver: String? = nil, slot: String? = nil, disks: Int) {
        (self.kind, self.address, self.id) = (kind, address, id)
        (self.driver, self.slot, self.disks) = (driver, slot, disks)
    }
}
