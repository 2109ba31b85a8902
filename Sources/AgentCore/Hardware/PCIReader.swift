import Inventory
import SMBIOS

/// Functions on the PCI bus, and where they are in the machine.
struct PCIReader {
    let files: SystemFiles
    let places: [DevicePlace]

    private static let folder = "/sys/bus/pci/devices"

    func devices() -> [PCIDevice] {
        files.list(Self.folder).compactMap { address in
            let base = Self.folder + "/" + address
            guard let vendor = hex(base + "/vendor"), let device = hex(base + "/device"),
                let code = hex(base + "/class"),
                // Bridges and the chipset's own parts (memory, system, wireless and signal controllers) say nothing.
                !["05", "06", "08", "11"].contains(String(code.prefix(2)))
            else { return nil }
            let (board, model) = (hex(base + "/subsystem_vendor"), hex(base + "/subsystem_device"))
            return PCIDevice(
                address: address, id: "\(vendor):\(device)",
                subsystem: board.flatMap { board in model.map { "\(board):\($0)" } }, classCode: code,
                driver: files.resolve(base + "/driver")?.split(separator: "/").last.map(String.init),
                slot: place(ofPath: files.resolve(base) ?? ""),
                // -1: no node is nearer than another.
                node: files.number(base + "/numa_node").flatMap { $0 < 0 ? nil : Int($0) })
        }
    }

    func controllers(among devices: [PCIDevice], disks: [Disk]) -> [StorageController] {
        devices.compactMap { device in
            let kind: StorageController.Kind? =
                switch device.classCode.prefix(4) {
                // A chipset in RAID mode is one for the drivers of its maker only.
                case "0104": device.driver == "ahci" ? .sata : .raid
                // A virtio disk is a device of its own.
                case "0100" where device.id.hasPrefix("1af4:"): nil
                case "0107", "0100": Self.virtualDriveDrivers.contains(device.driver ?? "") ? .raid : .hba
                case "0106": .sata
                default: nil
                }
            guard let kind else { return nil }
            return StorageController(
                kind: kind, address: device.address, id: device.id, driver: device.driver, slot: device.slot,
                disks: disks.count { $0.controller == device.address })
        }
    }

    /// RAID controllers that give themselves out as SAS or SCSI.
    private static let virtualDriveDrivers: Set = [
        "megaraid_sas", "aacraid", "hpsa", "smartpqi", "arcmsr", "megaraid_mbox",
    ]

    /// The last component that looks like `0000:03:00.0`; nil when a USB device lies between it and what is looked at.
    static func address(inPath path: String) -> String? {
        let parts = path.split(separator: "/").map(String.init)
        guard !parts.contains(where: { $0.hasPrefix("usb") }) else { return nil }
        return parts.last(where: isAddress)
    }

    private static func isAddress(_ part: some StringProtocol) -> Bool {
        let fields = part.split(separator: ":")
        return fields.count == 3 && fields[0].count == 4 && fields[2].contains(".")
    }

    /// What is printed beside a device: firmware's own label for it, or the slot that it or a bridge above it is in.
    func place(ofPath path: String) -> String? {
        guard let address = Self.address(inPath: path) else { return nil }
        if let label = files.text("\(Self.folder)/\(address)/label") { return label }
        if let place = places.first(where: { $0.kind == .onboard && $0.pciAddress == address }) {
            return place.designation
        }
        // The device is nearest: a slot may hold a bridge with devices of its own.
        for part in path.split(separator: "/").reversed() where Self.isAddress(part) {
            let device = part.prefix { $0 != "." }
            if let place = places.first(where: { $0.kind == .slot && $0.pciAddress.hasPrefix(device + ".") }) {
                return place.designation
            }
        }
        return nil
    }

    /// `0x8086`, without what comes before the digits.
    private func hex(_ path: String) -> String? {
        files.text(path).map { $0.hasPrefix("0x") ? String($0.dropFirst(2)) : $0 }
    }
}
