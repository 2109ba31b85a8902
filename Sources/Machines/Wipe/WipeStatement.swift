import FoundationEssentials
import Inventory

/// What a ``WipeCertificate`` says. Made to be read without this program: all words are spelled out, times are RFC 3339.
public struct WipeStatement: Codable, Equatable, Sendable {
    public static let format = "slipway-wipe-certificate-v1"

    /// The one above.
    public var format: String
    public var installation: Issuer
    /// Counts from 1, over all machines of the installation.
    public var sequence: Int
    /// ``WipeCertificate/digest`` of the certificate before; nil: this is the first.
    public var previous: String?
    public var issuedAt: Date
    public var machine: Subject
    /// Id of the operation.
    public var operation: String
    public var requestedBy: String
    public var approvedBy: String?
    /// What was asked for.
    public var policy: WipePolicy
    public var disks: [ErasedDisk]
    /// Disks of the machine that still hold what they held.
    public var leftAlone: [LeftAlone]
    public var startedAt: Date
    public var endedAt: Date
    public var agentVersion: String
    public var daemonVersion: String

    /// Who says so.
    public struct Issuer: Codable, Equatable, Sendable {
        /// `sha256:…` of the installation CA's public key.
        public var id: String
        public var name: String
        /// `sha256:…` of the Ed25519 public key that the certificate is signed with.
        public var key: String

        public init(id: String, name: String, key: String) { (self.id, self.name, self.key) = (id, name, key) }
    }

    public struct Subject: Codable, Equatable, Sendable {
        public var id: String
        public var name: String
        public var uuid: String?
        public var serial: String?
        public var manufacturer: String?
        public var product: String?
    }

    public struct ErasedDisk: Codable, Equatable, Sendable {
        public var path: String
        public var serial: String?
        public var wwn: String?
        public var model: String?
        public var firmware: String?
        public var sizeBytes: Int64
        public var transport: String
        public var method: String
        /// Of the method, in the terms of IEEE 2883.
        public var term: String
        /// Of NIST SP 800-88 Rev. 2.
        public var category: SanitizationCategory
        public var startedAt: Date
        public var endedAt: Date
        public var verification: Verification?
        /// `erased`: of anything else there is no certificate.
        public var result: String
        public var remarks: [String]
    }

    /// What was read afterwards; absent where nothing was.
    public struct Verification: Codable, Equatable, Sendable {
        /// `sampled` or `full`.
        public var kind: String
        public var bytes: Int64
        public var finding: String
    }

    public struct LeftAlone: Codable, Equatable, Sendable {
        public var path: String
        public var serial: String?
        public var wwn: String?
        public var model: String?
        public var sizeBytes: Int64
        public var transport: String
        public var reason: String

        public init(
            path: String, serial: String?, wwn: String?, model: String?, sizeBytes: Int64, transport: String,
            reason: String
        ) {
            (self.path, self.serial, self.wwn, self.model) = (path, serial, wwn, model)
            (self.sizeBytes, self.transport, self.reason) = (sizeBytes, transport, reason)
        }
    }

    /// What all of its erased disks reached.
    public var category: SanitizationCategory { disks.map(\.category).min() ?? .none }

    /// - Parameter account: of a wipe without ``WipeAccount/obstacle``.
    public init(
        _ account: WipeAccount, by installation: Issuer, sequence: Int, previous: String?, daemonVersion: String,
        at now: Date
    ) {
        (format, self.installation, self.sequence, self.previous) = (Self.format, installation, sequence, previous)
        (issuedAt, startedAt, endedAt) = (now, account.startedAt, account.endedAt)
        machine = Subject(account.machine)
        (operation, policy) = (account.operation, account.policy)
        (requestedBy, approvedBy) = (account.requestedBy, account.approvedBy)
        disks = account.disks.map { ErasedDisk($0) }
        leftAlone = account.leftAlone.map { LeftAlone($0) }
        (agentVersion, self.daemonVersion) = (account.agentVersion, daemonVersion)
    }
}

extension WipeStatement.Subject {
    init(_ machine: Machine) {
        let system = machine.observed.hardware?.system
        (id, name) = (machine.id, machine.name)
        (uuid, serial) = (system?.uuid?.description, system?.serial)
        (manufacturer, product) = (system?.manufacturer, system?.product)
    }
}

extension WipeStatement.ErasedDisk {
    init(_ disk: DiskEvidence) {
        (path, serial, wwn, model, firmware) = (disk.path, disk.serial, disk.wwn, disk.model, disk.firmware)
        (sizeBytes, transport) = (disk.sizeBytes, disk.transport.rawValue)
        method = disk.method?.rawValue ?? "none"
        term = disk.method?.term ?? "none"
        category = disk.category ?? .none
        (startedAt, endedAt, remarks) = (disk.startedAt, disk.endedAt, disk.remarks)
        verification = disk.readBack.flatMap { readBack in
            readBack.kind == .none
                ? nil : .init(kind: readBack.kind.rawValue, bytes: readBack.bytes, finding: readBack.finding)
        }
        result =
            switch disk.outcome {
            case .erased: "erased"
            case .failed: "failed"
            }
    }
}

extension WipeStatement.LeftAlone {
    init(_ left: WipePlan.LeftAlone) {
        (path, serial, wwn, model) = (left.disk.path, left.disk.serial, left.disk.wwn, left.disk.model)
        (sizeBytes, transport, reason) = (left.disk.sizeBytes, left.disk.transport.rawValue, left.reason)
    }
}

extension SanitizationCategory {
    /// For people.
    public var words: String { self == .none ? "no sanitization" : rawValue }
}
