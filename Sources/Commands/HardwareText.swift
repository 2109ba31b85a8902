import Inventory
import NetworkAddresses

/// A hardware report in words. Pure.
enum HardwareText {
    static func lines(_ report: HardwareReport) -> [(String, String)] {
        let (system, firmware, processor) = (report.system, report.firmware, report.processor)
        var lines = [
            ("system", words(system.manufacturer, system.product, system.sku)), ("serial", system.serial ?? "-"),
            ("uuid", system.uuid?.description ?? "-"),
        ]
        if let board = report.board {
            lines.append(("board", words(board.manufacturer, board.product, board.serial.map { "serial \($0)" })))
        }
        if let chassis = report.chassis {
            lines.append(("chassis", words(chassis.kind, chassis.serial.map { "serial \($0)" }, chassis.assetTag)))
        }
        lines += [
            (
                "firmware",
                words(
                    firmware.kind.rawValue, firmware.vendor, firmware.version, firmware.date,
                    firmware.secureBoot.map { $0 ? "Secure Boot on" : "Secure Boot off" })
            ),
            (
                "processor",
                "\(processor.sockets) x \(processor.model ?? processor.architecture), \(processor.cores) cores, "
                    + "\(processor.threads) threads, \(processor.architecture)"
            ),
            ("memory", memory(report.memory)),
        ]
        if let tpm = report.tpm {
            lines.append(
                ("tpm", words(tpm.version, tpm.endorsementKeyHash.map { "endorsement key \($0.prefix(16))…" })))
        }
        if let bmc = report.bmc {
            lines.append(("bmc", words("in-band", bmc.address, bmc.mac, "firmware \(bmc.firmware)")))
        }
        lines += report.controllers.filter { $0.kind == .raid }.map { controller in
            (
                "raid",
                words(controller.address, controller.driver, controller.slot)
                    + (controller.disks == 0 ? ", no virtual drive" : ", \(controller.disks) virtual drives")
            )
        }
        lines += report.disks.map { ("disk", disk($0)) }
        lines += report.devices.filter(\.isGPU).map { ("gpu", words($0.id, $0.address, $0.driver, $0.slot)) }
        lines += report.nics.map { ("nic", nic($0)) }
        return lines
    }

    private static func words(_ parts: String?...) -> String { parts.compactMap { $0 }.joined(separator: " ") }

    private static func memory(_ memory: HardwareReport.Memory) -> String {
        var text = "\(memory.installedBytes >> 20) MiB"
        if let sockets = memory.sockets { text += ", \(memory.modules.count) of \(sockets) sockets filled" }
        if memory.mendsErrors == false { text += ", no ECC" }
        return text
    }

    private static func disk(_ disk: Disk) -> String {
        var text = words(disk.summary, disk.model)
        if let health = disk.health {
            if health.isFailing == true { text += ", IT SAYS THAT IT IS FAILING" }
            if let wear = health.wearPercent { text += ", \(wear) % worn" }
            if let errors = health.mediaErrors, errors > 0 { text += ", \(errors) media errors" }
        }
        if let reason = disk.untargetable { return text + ", never written to: \(reason)" }
        return text + (disk.holdsData ? ", holds " + disk.signatures.joined(separator: ", ") : ", blank")
    }

    private static func nic(_ nic: NIC) -> String {
        var text = words(nic.name, nic.mac.description, nic.driver, nic.slot)
        text += nic.linkUp ? ", link up" : ", link down"
        if let speed = nic.speedMbps { text += " \(speed) Mbit/s" }
        if let neighbour = nic.neighbour { text += ", at \(neighbour.system) \(neighbour.port)" }
        return text
    }
}
