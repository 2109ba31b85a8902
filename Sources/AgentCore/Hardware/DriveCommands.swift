import CAgent
import Glibc
import Inventory

/// A drive, and how it is reached.
public struct DriveAddress: Sendable {
    public var path: String
    /// Of NVMe `/dev/nvme0`, whatever namespace is looked at.
    public var controller: String
    public var transport: DiskTransport
    var identity: ATAIdentity?
}

/// Questions to drives that change nothing.
public protocol DriveCommands: Sendable {
    /// An NVMe admin command that reads; nil: refused, or no answer.
    func nvme(_ path: String, opcode: UInt8, namespace: UInt32, dword10: UInt32, bytes: Int) -> [UInt8]?
    /// A SCSI command that reads; nil: no answer at all. The answer is empty when the drive refused.
    func scsi(_ path: String, _ command: [UInt8], bytes: Int) -> (answer: [UInt8], sense: [UInt8])?
}

extension DriveCommands {
    /// What a drive says of its health and of the ways to erase it; nothing is asked of disks that are not this machine's own, or of which a controller or
    /// hypervisor makes up the answers.
    func state(of drive: DriveAddress) -> (health: DiskHealth?, methods: [EraseMethod]?) {
        switch drive.transport {
        case .nvme:
            // Identify (06h), CNS 1: the controller. Get Log Page (02h), log 02h, 128 dwords.
            let identify = nvme(drive.controller, opcode: 6, namespace: 0, dword10: 1, bytes: 4096)
            let log = nvme(drive.controller, opcode: 2, namespace: .max, dword10: 127 << 16 | 2, bytes: 512)
            return (log.flatMap { NVMeData.health(log: $0) }, identify.flatMap { NVMeData.methods(identify: $0) })
        case .sata: return (ataHealth(drive.path), drive.identity?.methods ?? [])
        case .sas: return (scsiHealth(drive.path), sanitizeMethods(drive.path))
        case .virtio, .raid: return (nil, [])
        case .usb, .fibreChannel, .iscsi, .nvmeOverFabrics, .unknown: return (nil, nil)
        }
    }

    /// ATA PASS-THROUGH (16) (SAT-4 §12.2.2): SMART (B0h) with what the feature register asks for.
    private func smart(_ path: String, feature: UInt8, bytes: Int) -> (answer: [UInt8], sense: [UInt8])? {
        // Protocol PIO data-in, or non-data with the registers in the sense data.
        let (protocolByte, flags): (UInt8, UInt8) = bytes > 0 ? (4 << 1, 0x0e) : (3 << 1, 0x20)
        let count: UInt8 = bytes > 0 ? 1 : 0
        return scsi(
            path, [0x85, protocolByte, flags, 0, feature, 0, count, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0xb0, 0], bytes: bytes)
    }

    private func ataHealth(_ path: String) -> DiskHealth? {
        let isFailing = smart(path, feature: 0xda, bytes: 0).flatMap { SCSIData.isFailing(sense: $0.sense) }
        let attributes = smart(path, feature: 0xd0, bytes: 512)?.answer ?? []
        return SCSIData.health(attributes: attributes, isFailing: isFailing)
            ?? isFailing.map { DiskHealth(isFailing: $0) }
    }

    private func scsiHealth(_ path: String) -> DiskHealth? {
        // LOG SENSE (4Dh), current cumulative values.
        let page = scsi(path, [0x4d, 0, 0x40 | 0x2f, 0, 0, 0, 0, 0, 64, 0], bytes: 64)?.answer ?? []
        return SCSIData.health(exceptions: page)
    }

    /// What a SCSI drive says it has of SANITIZE.
    func sanitizeMethods(_ path: String) -> [EraseMethod] {
        let actions: [(UInt8, EraseMethod)] = [
            (3, .scsiSanitizeCrypto), (2, .scsiSanitizeBlock), (1, .scsiSanitizeOverwrite),
        ]
        return actions.compactMap { action, method in
            // MAINTENANCE IN (A3h), REPORT SUPPORTED OPERATION CODES (0Ch): SANITIZE (48h) with this service action.
            let answer = scsi(path, [0xa3, 0x0c, 2, 0x48, 0, action, 0, 0, 0, 64, 0, 0], bytes: 64)?.answer ?? []
            return SCSIData.isSupported(answer: answer) ? method : nil
        }
    }
}

/// The kernel's ways to this machine's drives.
public struct KernelDriveCommands: DriveCommands {
    public init() {}

    public func nvme(_ path: String, opcode: UInt8, namespace: UInt32, dword10: UInt32, bytes: Int) -> [UInt8]? {
        var answer = [UInt8](repeating: 0, count: bytes)
        guard agent_nvme_read(path, opcode, namespace, dword10, &answer, UInt32(bytes)) == 0 else { return nil }
        return answer
    }

    public func scsi(_ path: String, _ command: [UInt8], bytes: Int) -> (answer: [UInt8], sense: [UInt8])? {
        var answer = [UInt8](repeating: 0, count: bytes)
        var sense = [UInt8](repeating: 0, count: 64)
        let count = agent_scsi_read(path, command, UInt8(command.count), &answer, UInt32(bytes), &sense, 64)
        return count < 0 ? nil : (Array(answer.prefix(Int(count))), sense)
    }
}
