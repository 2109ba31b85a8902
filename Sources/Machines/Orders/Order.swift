import FoundationEssentials
import Inventory
import NetworkAddresses

/// One thing the agent on one machine is to do. It leaves the daemon signed, and is refused by every other machine.
public struct Order: Codable, Equatable, Sendable, Identifiable {
    public var id: String
    /// The operation that asked for it; nil for housekeeping such as `reboot`.
    public var operation: String?
    /// The machine it is for, as its hardware report described it when the order was issued.
    public var machine: MachineFacts
    public var task: Task
    public var issuedAt: Date
    /// After this time the agent refuses it.
    public var expiresAt: Date

    public init(
        id: String, operation: String? = nil, machine: MachineFacts, task: Task, issuedAt: Date, expiresAt: Date
    ) {
        (self.id, self.operation, self.machine, self.task) = (id, operation, machine, task)
        (self.issuedAt, self.expiresAt) = (issuedAt, expiresAt)
    }

    public enum Task: Codable, Equatable, Sendable {
        case install(InstallOrder)
        case runInstaller(InstallerOrder)
        /// Restart, and let firmware start a system's own installer from the network.
        case startInstaller(NetworkStartOrder)
        case wipe(WipeOrder)
        /// Hold a shell for a person. What they do in it is theirs.
        case shell(ShellOrder)
        /// Start what is installed. Writes nothing.
        case start(InstalledSystem)
        /// Restart through firmware.
        case reboot
        case powerOff
        /// Give the machine's BMC a user of this installation, from within. No other user of it is touched.
        case setUpBMC(BMCUserOrder)
    }
}

/// A shell on the agent's machine, for a while.
public struct ShellOrder: Codable, Equatable, Sendable {
    /// Seconds from the beginning of the order to the end of the shell and of all that runs in it.
    public var seconds: Double

    public init(seconds: Double) { self.seconds = seconds }
}

/// A user of a BMC, with administrator's privilege on its LAN.
public struct BMCUserOrder: Codable, Equatable, Sendable {
    public var username: String
    public var password: String

    public init(username: String, password: String) { (self.username, self.password) = (username, password) }
}

/// What tells one machine from another, read by the agent from SMBIOS and the PCI NICs.
public struct MachineFacts: Codable, Equatable, Sendable {
    public var uuid: SystemUUID?
    public var serial: String?
    /// Permanent addresses of PCI NICs, sorted: no USB, locally administered, SR-IOV or bond addresses.
    public var macs: [MACAddress]

    public init(uuid: SystemUUID?, serial: String?, macs: [MACAddress]) {
        (self.uuid, self.serial, self.macs) = (uuid, serial, macs.sorted())
    }
}

/// Write an operating system's disk image to one disk, give it its configuration, and enter it.
public struct InstallOrder: Codable, Equatable, Sendable {
    /// Name of the OS release, for people.
    public var release: String
    public var image: Image
    public var disk: DiskTarget
    /// Files to put on the installed disk once the image is verified.
    public var files: [ConfigurationFile]
    public var readBack: ReadBack
    public var entry: SystemEntry
    public var bootOrder: BootOrder
    /// A kernel of the release that is entered the first time, with the configuration in its initramfs; nil: `entry` counts at once.
    public var firstStart: KernelOrder?

    public init(
        release: String, image: Image, disk: DiskTarget, files: [ConfigurationFile], readBack: ReadBack,
        entry: SystemEntry, bootOrder: BootOrder, firstStart: KernelOrder? = nil
    ) {
        self.firstStart = firstStart
        (self.release, self.image, self.disk, self.files) = (release, image, disk, files)
        (self.readBack, self.entry, self.bootOrder) = (readBack, entry, bootOrder)
    }

    /// A compressed raw disk image.
    public struct Image: Codable, Equatable, Sendable {
        /// `http://…`: the image is not secret, and is believed only once its digest matches.
        public var url: String
        /// SHA-256 of the bytes at `url`, 64 hex digits.
        public var sha256: String
        public var compression: Compression
        /// Bytes at `url`.
        public var compressedBytes: Int64
        /// Bytes of the raw disk image.
        public var rawBytes: Int64
        /// The same bytes nearer by, asked first; nil: there is no mirror.
        public var mirror: String?

        public init(url: String, sha256: String, compression: Compression, compressedBytes: Int64, rawBytes: Int64) {
            (self.url, self.sha256, self.compression) = (url, sha256, compression)
            (self.compressedBytes, self.rawBytes) = (compressedBytes, rawBytes)
        }
    }

    public enum Compression: String, Codable, Sendable, CaseIterable { case none, zstd }
}

/// The one disk an order may touch. Every fact that is set must match what the agent reads.
public struct DiskTarget: Codable, Equatable, Sendable {
    public var serial: String?
    public var wwn: String?
    /// `/dev/…`, only where a person named a disk without serial and WWN by its path.
    public var path: String?
    public var sizeBytes: Int64

    public init(serial: String?, wwn: String?, path: String? = nil, sizeBytes: Int64) {
        (self.serial, self.wwn, self.path, self.sizeBytes) = (serial, wwn, path, sizeBytes)
    }

    /// By all its names; by its path only where it has no other.
    public init(_ disk: Disk) {
        self.init(
            serial: disk.serial, wwn: disk.wwn, path: disk.serial == nil && disk.wwn == nil ? disk.path : nil,
            sizeBytes: disk.sizeBytes)
    }
}

/// A file written to the installed disk.
public struct ConfigurationFile: Codable, Equatable, Sendable {
    /// The partition that takes it.
    public var partition: PartitionReference
    /// File system of that partition.
    public var fileSystem: FileSystem
    /// Path inside the partition, without a leading slash.
    public var path: String
    /// POSIX permission bits, such as 0o600.
    public var mode: UInt32
    public var content: String

    public init(partition: PartitionReference, fileSystem: FileSystem, path: String, mode: UInt32, content: String) {
        (self.partition, self.fileSystem, self.path, self.mode, self.content) = (
            partition, fileSystem, path, mode, content
        )
    }

    public enum FileSystem: String, Codable, Sendable, CaseIterable { case ext4, vfat, xfs, btrfs }
}

/// What was installed on a machine, and where.
public struct InstalledSystem: Codable, Equatable, Sendable {
    public var disk: DiskTarget
    public var entry: SystemEntry

    public init(disk: DiskTarget, entry: SystemEntry) { (self.disk, self.entry) = (disk, entry) }

    /// Its kernel can be started by the agent.
    public var takesKexec: Bool { entry != .reboot }
}

/// How the agent enters the system it installed.
public enum SystemEntry: Codable, Equatable, Sendable {
    /// Load kernel and initrd from the installed disk and jump into them, without going through firmware.
    /// - Parameters:
    ///   - partition: holds all three.
    ///   - commandLineFile: a file whose first line is the kernel command line.
    case kexec(
        partition: PartitionReference, fileSystem: ConfigurationFile.FileSystem, kernel: String, initrd: String,
        commandLineFile: String)
    /// The same from the partition that is the system's root: its kernel is told `root=PARTUUID=…`, and these arguments.
    case kexecRoot(
        partition: PartitionReference, fileSystem: ConfigurationFile.FileSystem, kernel: String, initrd: String,
        arguments: String)
    case reboot
}

extension SystemEntry {
    /// Where its kernel lies; nil where firmware finds it.
    public var partition: PartitionReference? {
        switch self {
        case .kexec(let partition, _, _, _, _), .kexecRoot(let partition, _, _, _, _): partition
        case .reboot: nil
        }
    }
}
