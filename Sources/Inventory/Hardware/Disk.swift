/// How a disk is attached.
public enum DiskTransport: String, Codable, Sendable, CaseIterable {
    case nvme, sata, sas, virtio
    /// A local controller's virtual drive.
    case raid
    case usb
    case fibreChannel = "fc"
    case iscsi
    case nvmeOverFabrics = "nvmeof"
    case unknown
}

/// One block device that is a whole disk.
public struct Disk: Codable, Equatable, Sendable {
    /// `/dev/…`: good for this boot only.
    public var path: String
    public var serial: String?
    public var wwn: String?
    public var model: String?
    public var sizeBytes: Int64
    public var transport: DiskTransport
    public var rotational: Bool
    /// Names that other systems give it in every boot: `nvme-eui.36344730…`, `ata-MODEL_SERIAL`; links in /dev/disk/by-id.
    @Listed public var names: [String]
    public var firmware: String?
    /// Bytes of a logical block.
    public var logicalBlockBytes: Int
    /// Bytes that the drive writes at once; nil: not told.
    public var physicalBlockBytes: Int?
    /// PCI function that it is connected to.
    public var controller: String?
    public var health: DiskHealth?
    /// Nil: it was not asked.
    public var eraseMethods: [EraseMethod]?
    public var removable: Bool
    public var readOnly: Bool
    /// What was found on it, such as `gpt`, `ext4`; empty when it looks blank.
    public var signatures: [String]
    /// Part of a multipath set or reserved by another machine; the words say which.
    public var sharedBecause: String?

    public init(
        path: String, serial: String? = nil, wwn: String? = nil, model: String? = nil, sizeBytes: Int64,
        transport: DiskTransport, rotational: Bool = false, names: [String] = [], firmware: String? = nil,
        logicalBlockBytes: Int = 512, physicalBlockBytes: Int? = nil, controller: String? = nil,
        health: DiskHealth? = nil, eraseMethods: [EraseMethod]? = nil, removable: Bool = false, readOnly: Bool = false,
        signatures: [String] = [], sharedBecause: String? = nil
    ) {
        (self.names, self.firmware, self.physicalBlockBytes) = (names, firmware, physicalBlockBytes)
        (self.controller, self.health, self.eraseMethods) = (controller, health, eraseMethods)
        (self.path, self.serial, self.wwn, self.model) = (path, serial, wwn, model)
        (self.sizeBytes, self.transport, self.rotational) = (sizeBytes, transport, rotational)
        (self.logicalBlockBytes, self.removable, self.readOnly) = (logicalBlockBytes, removable, readOnly)
        (self.signatures, self.sharedBecause) = (signatures, sharedBecause)
    }

    public var holdsData: Bool { !signatures.isEmpty }

    /// For people: what it is and how it is told from others.
    public var summary: String {
        let name = serial.map { "serial \($0)" } ?? wwn.map { "WWN \($0)" } ?? "without serial"
        return "\(path) (\(transport.rawValue), \(sizeBytes / 1_000_000_000) GB, \(name))"
    }

    /// Why nothing is ever written to it; nil for a local disk. Invariant 1: only local disks can be targets.
    public var untargetable: String? {
        switch transport {
        case .fibreChannel, .iscsi, .nvmeOverFabrics: return "it is not a local disk (\(transport.rawValue))"
        case .usb: return "it is removable or a BMC's virtual medium (usb)"
        case .unknown: return "it is not known how it is attached"
        case .nvme, .sata, .sas, .virtio, .raid: break
        }
        if removable { return "it is removable" }
        if readOnly { return "it is read-only" }
        return sharedBecause
    }
}
