import Inventory
import NetworkAddresses

extension HardwareReport {
    static let sampleUUID = SystemUUID("4c4c4544-0042-3510-8052-b4c04f4e3132")

    /// A server with two disks and two NICs, one of which is the BMC's USB NIC.
    static let sample = HardwareReport(
        system: .init(manufacturer: "Slipway", product: "Virtual Rack", serial: "SN-1", uuid: sampleUUID),
        firmware: .init(kind: .uefi), processor: .init(architecture: "amd64", sockets: 1, cores: 2, threads: 2),
        memory: .init(installedBytes: 768 << 20),
        disks: [
            Disk(path: "/dev/nvme0n1", serial: "D-1", wwn: "eui.0001", sizeBytes: 4 << 30, transport: .nvme),
            Disk(path: "/dev/sda", serial: "D-2", sizeBytes: 8 << 30, transport: .sata, signatures: ["gpt"]),
        ],
        nics: [
            NIC(name: "eth0", mac: MACAddress(rawValue: 0x0016_3e00_0001), pciAddress: "0000:00:02.0", linkUp: true),
            NIC(name: "usb0", mac: MACAddress(rawValue: 0x0016_3eff_ffff), linkUp: true),
        ], hasBMC: true, bootID: "boot-1")
}
