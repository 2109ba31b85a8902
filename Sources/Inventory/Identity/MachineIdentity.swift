import NetworkAddresses

/// What tells one machine from another. No part of it is believed by itself: see ``IdentityResolver``.
public struct MachineIdentity: Codable, Equatable, Sendable {
    public var uuid: SystemUUID?
    public var serial: String?
    public var boardSerial: String?
    /// Permanent addresses of PCI NICs, sorted. NICs between BMC and host share theirs, and do not count.
    public var macs: [MACAddress]
    public var bmcMAC: String?
    /// See ``HardwareReport/TPM``.
    public var endorsementKeyHash: String?

    public init(
        uuid: SystemUUID? = nil, serial: String? = nil, boardSerial: String? = nil, macs: [MACAddress] = [],
        bmcMAC: String? = nil, endorsementKeyHash: String? = nil
    ) {
        (self.uuid, self.serial, self.boardSerial, self.macs) = (uuid, serial, boardSerial, macs.sorted())
        (self.bmcMAC, self.endorsementKeyHash) = (bmcMAC, endorsementKeyHash)
    }
}

extension HardwareReport {
    public var identity: MachineIdentity {
        MachineIdentity(
            uuid: system.uuid, serial: system.serial, boardSerial: board?.serial, macs: nics.compactMap(\.identityMAC),
            bmcMAC: bmc?.mac, endorsementKeyHash: tpm?.endorsementKeyHash)
    }
}

/// One part of an identity.
public enum IdentityFact: String, Codable, Sendable, CaseIterable {
    case endorsementKey = "TPM"
    case serial
    case uuid = "UUID"
    case macs = "NICs"
    case boardSerial = "board serial"
    case bmcMAC = "BMC"

    /// Told by the machine's firmware and board, which all have it or none.
    var isOfFirmware: Bool { self == .serial || self == .uuid || self == .boardSerial }

    /// How much it says that two machines are one when they agree on it.
    var weight: Int {
        switch self {
        case .endorsementKey: 5
        case .serial: 4
        case .uuid, .macs: 3
        case .boardSerial, .bmcMAC: 2
        }
    }
}
