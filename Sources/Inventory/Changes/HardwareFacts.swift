/// A report as named facts and named parts, which is what two reports are compared by. What differs from boot to boot (names of devices,
/// temperatures, links, what is on the disks) is not among them.
struct HardwareFacts {
    /// A part that can be taken out: a module, a disk, a card.
    struct Part {
        var kind: String
        /// By which it is found again: a slot, a serial number.
        var name: String
        /// For people.
        var words: String
        var facts: KeyValuePairs<String, String?>
        /// Facts that are not the part's own: they change with its neighbours or by themselves, and may not be told yet.
        var passing: KeyValuePairs<String, String?> = [:]
    }

    let report: HardwareReport

    var facts: KeyValuePairs<String, String?> {
        let (system, board, firmware) = (report.system, report.board, report.firmware)
        return [
            "system manufacturer": system.manufacturer, "system product": system.product,
            "system serial": system.serial, "system UUID": system.uuid?.description, "system SKU": system.sku,
            "board product": board?.product, "board serial": board?.serial, "chassis serial": report.chassis?.serial,
            "asset tag": report.chassis?.assetTag, "firmware kind": firmware.kind.rawValue,
            "firmware version": firmware.version, "firmware date": firmware.date,
            "Secure Boot": firmware.secureBoot.map { $0 ? "on" : "off" }, "TPM": report.tpm?.version,
            "TPM's endorsement key": report.tpm?.endorsementKeyHash,
            "processor": report.processor.model, "sockets": "\(report.processor.sockets)",
            "cores": "\(report.processor.cores)", "threads": "\(report.processor.threads)",
            "microcode": report.processor.microcode, "memory": memory,
            "BMC": report.hasBMC ? "present" : nil, "BMC firmware": report.bmc?.firmware,
            "BMC address": report.bmc?.address, "BMC MAC": report.bmc?.mac,
        ]
    }

    /// Where firmware tells nothing of its modules, what the kernel can use differs with the kernel: whole gibibytes do not.
    private var memory: String {
        let bytes = report.memory.installedBytes
        return report.memory.modules.isEmpty ? "\((bytes >> 30) + (bytes >> 29 & 1)) GiB" : Self.size(bytes)
    }

    var parts: [Part] { modules + disks + nics + controllers + devices }

    /// Two of one name (a card with two functions in a slot) are told apart by their order.
    var partsByName: [String: ArraySlice<Part>] {
        Dictionary(grouping: parts) { $0.kind + " " + $0.name }.mapValues { $0[...] }
    }

    /// The report would tell of such a part if there were one: older agents look for less, and not all firmware tells of its modules.
    func looked(for kind: String) -> Bool {
        switch kind {
        case "disk", "NIC": true
        case "memory module": report.memory.sockets != nil
        default: !report.devices.isEmpty
        }
    }

    private var modules: [Part] {
        report.memory.modules.map { module in
            let words = [
                module.sizeBytes.map(Self.size), module.manufacturer, module.partNumber,
                module.serial.map { "serial \($0)" },
            ]
            return Part(
                kind: "memory module", name: module.slot, words: Self.words(words),
                facts: [
                    "size": module.sizeBytes.map(Self.size), "part": module.partNumber, "serial": module.serial,
                    "speed": module.speedMTps.map { "\($0) MT/s" },
                ])
        }
    }

    /// Media that come and go are none of the machine's parts.
    private var disks: [Part] {
        report.disks.filter { !$0.removable && $0.transport != .usb }.map { disk in
            Part(
                kind: "disk", name: disk.serial ?? disk.wwn ?? disk.path,
                words: Self.words([disk.model, "\(disk.sizeBytes / 1_000_000_000) GB", disk.transport.rawValue]),
                facts: [
                    "model": disk.model, "size": "\(disk.sizeBytes) bytes", "firmware": disk.firmware,
                ],
                passing: ["health": disk.health?.isFailing.map { $0 ? "failing" : "good" }])
        }
    }

    private var nics: [Part] {
        report.nics.filter { $0.pciAddress != nil && !$0.isVirtualFunction }.map { nic in
            let address = nic.permanentMAC ?? nic.mac
            return Part(
                kind: "NIC", name: "\(address)", words: Self.words([nic.driver, nic.slot ?? nic.pciAddress]),
                facts: ["slot": nic.slot ?? nic.pciAddress, "firmware": nic.firmware],
                passing: ["switch port": nic.neighbour.map { "\($0.system) \($0.port)" }])
        }
    }

    private var controllers: [Part] {
        report.controllers.map { controller in
            Part(
                kind: "\(controller.kind.rawValue.uppercased()) controller", name: controller.address,
                words: Self.words([controller.id, controller.driver, controller.slot]), facts: ["id": controller.id])
        }
    }

    /// Those that are parts of their own: accelerators and other cards, but no NIC or controller, which are told above.
    private var devices: [Part] {
        report.devices.filter { !$0.classCode.hasPrefix("01") && !$0.classCode.hasPrefix("02") }.map { device in
            Part(
                kind: device.isGPU ? "GPU" : "PCI device", name: device.slot ?? device.address,
                words: Self.words([device.id, device.driver]), facts: ["id": device.id])
        }
    }

    static func size(_ bytes: Int64) -> String {
        bytes % (1 << 30) == 0 ? "\(bytes >> 30) GiB" : "\(bytes >> 20) MiB"
    }

    private static func words(_ parts: [String?]) -> String { parts.compactMap { $0 }.joined(separator: " ") }
}
