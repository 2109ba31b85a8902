import Glibc
import Inventory
import Machines
import NetworkAddresses
import SMBIOS

/// Reads this machine's hardware: the tables of its firmware, what the kernel shows in /sys and /proc, and what its drives answer.
public struct HardwareReader: Sendable {
    let files: SystemFiles
    private let links: any LinkFacts
    private let drives: any DriveCommands
    private let bmc: any InBandBMC
    private let endorsementKey: EndorsementKeyQuestion
    private let table: SMBIOSTable

    /// How long a report waits for the TPM; a slower one is in the next report.
    private static let patience = Duration.seconds(15)

    public init(
        files: SystemFiles, links: any LinkFacts, drives: any DriveCommands, bmc: any InBandBMC,
        endorsementKey: EndorsementKeyQuestion
    ) {
        self.endorsementKey = endorsementKey
        (self.files, self.links, self.drives, self.bmc) = (files, links, drives, bmc)
        table = SMBIOSTable(files.bytes("/sys/firmware/dmi/tables/DMI") ?? [])
    }

    public func report() -> HardwareReport {
        let (system, disks) = (SystemReader(files: files, table: table), disks())
        let pci = PCIReader(files: files, places: table.places)
        let devices = pci.devices()
        return HardwareReport(
            system: system.system(), board: system.board(), chassis: system.chassis(), firmware: system.firmware(),
            tpm: tpm(system), processor: ProcessorReader(files: files, table: table).processor(),
            memory: MemoryReader(files: files, table: table).memory(), disks: disks,
            controllers: pci.controllers(among: devices, disks: disks), nics: nics(), devices: devices,
            hasBMC: system.hasBMC(), bmc: BMCReader(bmc: bmc).read(), bootID: bootID())
    }

    /// One of version 1.2 has another kind of key, which only its owner may read.
    private func tpm(_ system: SystemReader) -> HardwareReport.TPM? {
        guard var tpm = system.tpm(), tpm.version == "2.0" else { return system.tpm() }
        tpm.endorsementKeyHash = endorsementKey.hash(within: Self.patience)
        return tpm
    }

    /// What the report will say of who this is, as soon as NICs are there.
    public func identity() -> (machine: MachineIdentity, bootID: String) {
        let reader = SystemReader(files: files, table: table)
        let system = reader.system()
        return (
            MachineIdentity(
                uuid: system.uuid, serial: system.serial, boardSerial: reader.board()?.serial,
                macs: nics().compactMap(\.identityMAC), endorsementKeyHash: endorsementKey.hash(within: .zero)),
            bootID()
        )
    }

    private func bootID() -> String { files.text("/proc/sys/kernel/random/boot_id") ?? "" }

    private func nics() -> [NIC] { NICReader(files: files, links: links, places: table.places).nics() }

    private func disks() -> [Disk] { DiskReader(files: files, drives: drives).disks() }
}
