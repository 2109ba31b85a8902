import NetworkAddresses

/// What the agent read of one machine in one boot. A list is empty where nothing was found, a fact is nil where nobody told it: firmware
/// and drivers differ in what they say.
public struct HardwareReport: Codable, Equatable, Sendable {
    public var system: System
    public var board: Board?
    public var chassis: Chassis?
    public var firmware: Firmware
    public var tpm: TPM?
    public var processor: Processor
    public var memory: Memory
    public var disks: [Disk]
    @Listed public var controllers: [StorageController]
    public var nics: [NIC]
    @Listed public var devices: [PCIDevice]
    /// A BMC answers in-band (`/dev/ipmi0` or its SMBIOS record).
    public var hasBMC: Bool
    /// What it says of itself there.
    public var bmc: BMC?
    /// Changes with every start of a kernel.
    public var bootID: String

    public init(
        system: System, board: Board? = nil, chassis: Chassis? = nil, firmware: Firmware, tpm: TPM? = nil,
        processor: Processor, memory: Memory, disks: [Disk], controllers: [StorageController] = [], nics: [NIC],
        devices: [PCIDevice] = [], hasBMC: Bool, bmc: BMC? = nil, bootID: String
    ) {
        (self.system, self.board, self.chassis, self.firmware) = (system, board, chassis, firmware)
        (self.tpm, self.processor, self.memory, self.disks) = (tpm, processor, memory, disks)
        (self.controllers, self.nics, self.devices) = (controllers, nics, devices)
        (self.hasBMC, self.bmc, self.bootID) = (hasBMC, bmc, bootID)
    }
}
