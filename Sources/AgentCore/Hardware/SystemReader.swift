import Inventory
import SMBIOS

/// Who the machine is, by its firmware's tables; where they cannot be read, by what the kernel has decoded of them.
struct SystemReader {
    let files: SystemFiles
    let table: SMBIOSTable

    /// Texts that firmware fills in where nobody told it better mean "none".
    static func meaningful(_ text: String?) -> String? { FirmwareText.meaningful(text) }

    private func dmi(_ name: String) -> String? { Self.meaningful(files.text("/sys/class/dmi/id/" + name)) }

    private func known(_ text: String?, _ name: String) -> String? { Self.meaningful(text) ?? dmi(name) }

    func system() -> HardwareReport.System {
        let system = table.system
        return .init(
            manufacturer: known(system?.manufacturer, "sys_vendor"), product: known(system?.product, "product_name"),
            serial: known(system?.serial, "product_serial"),
            // The kernel knows the byte order of each version.
            uuid: files.text("/sys/class/dmi/id/product_uuid").flatMap { SystemUUID($0) },
            sku: known(system?.sku, "product_sku"), family: known(system?.family, "product_family"))
    }

    func board() -> HardwareReport.Board? {
        let board = table.board
        let known = HardwareReport.Board(
            manufacturer: known(board?.manufacturer, "board_vendor"), product: known(board?.product, "board_name"),
            version: known(board?.version, "board_version"), serial: known(board?.serial, "board_serial"),
            assetTag: known(board?.assetTag, "board_asset_tag"))
        return known == HardwareReport.Board() ? nil : known
    }

    func chassis() -> HardwareReport.Chassis? {
        let chassis = table.chassis
        let kind =
            chassis?.kind
            ?? files.number("/sys/class/dmi/id/chassis_type").flatMap { UInt8(exactly: $0) }.map {
                ChassisInformation.Kind(rawValue: $0)
            }
        let known = HardwareReport.Chassis(
            manufacturer: known(chassis?.manufacturer, "chassis_vendor"), kind: kind?.name,
            serial: known(chassis?.serial, "chassis_serial"), assetTag: known(chassis?.assetTag, "chassis_asset_tag"),
            sku: Self.meaningful(chassis?.sku), heightUnits: chassis?.heightUnits)
        return known == HardwareReport.Chassis() ? nil : known
    }

    func firmware() -> HardwareReport.Firmware {
        let isUEFI = files.exists("/sys/firmware/efi")
        // Attributes (4 bytes), then one byte: 1 enabled.
        let secureBoot = files.bytes("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c").map {
            $0.last == 1
        }
        let firmware = table.firmware
        return .init(
            kind: isUEFI ? .uefi : .bios, vendor: known(firmware?.vendor, "bios_vendor"),
            version: known(firmware?.version, "bios_version"), date: known(firmware?.date, "bios_date"),
            secureBoot: isUEFI ? secureBoot : nil)
    }

    /// The kernel's word, if it has a driver for it.
    func tpm() -> HardwareReport.TPM? {
        if files.exists("/sys/class/tpm/tpm0") {
            return .init(version: files.number("/sys/class/tpm/tpm0/tpm_version_major") == 1 ? "1.2" : "2.0")
        }
        return table.tpm.map { .init(version: $0.specification) }
    }

    func hasBMC() -> Bool {
        files.exists("/dev/ipmi0") || table.managementInterface != nil
            || files.list("/sys/bus/platform/drivers/ipmi_si").contains { $0.contains("IPI") }
    }
}
