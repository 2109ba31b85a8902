import Inventory

/// Reads the whole disks under /sys/block, and looks at their first bytes for what they hold.
struct DiskReader {
    let files: SystemFiles
    let drives: any DriveCommands

    func disks() -> [Disk] { files.list("/sys/block").compactMap(disk) }

    private func disk(_ name: String) -> Disk? {
        guard Self.isDisk(name) else { return nil }
        let base = "/sys/block/\(name)"
        guard let sectors = files.number(base + "/size"), sectors > 0 else { return nil }
        let device = files.resolve(base + "/device") ?? files.resolve(base) ?? ""
        let transport = Self.transport(name: name, device: device, nvme: files.text(base + "/device/transport"))
        let identifier = files.text(base + "/wwid") ?? files.text(base + "/device/wwid")
        let wwn = identifier.flatMap { Self.isUnique($0) ? $0 : nil }
        let identity = transport == .sata ? ATAIdentity(page: files.bytes(base + "/device/vpd_pg89") ?? []) : nil
        let serial = serial(base) ?? identity?.serial
        let model = identity?.model ?? files.text(base + "/device/model")
        // Nothing is asked of what is not this machine's own.
        let asked = drives.state(
            of: DriveAddress(
                path: "/dev/" + name, controller: Self.controllerPath(name), transport: transport, identity: identity))
        return Disk(
            path: "/dev/" + name, serial: serial, wwn: wwn, model: model, sizeBytes: sectors * 512,
            transport: transport, rotational: files.number(base + "/queue/rotational") == 1,
            names: DiskNames.of(transport: transport, model: model, serial: serial, wwn: wwn),
            firmware: identity?.firmware ?? files.text(base + "/device/firmware_rev")
                ?? files.text(base + "/device/rev"),
            logicalBlockBytes: Int(files.number(base + "/queue/logical_block_size") ?? 512),
            physicalBlockBytes: files.number(base + "/queue/physical_block_size").map { Int($0) },
            controller: PCIReader.address(inPath: device), health: asked.health,
            eraseMethods: asked.methods.map { $0 + general(base, transport) },
            removable: files.number(base + "/removable") == 1, readOnly: files.number(base + "/ro") == 1,
            signatures: Self.signatures(files.bytes("/dev/" + name, limit: 70_000) ?? []), sharedBecause: shared(base))
    }

    /// Loop, RAM, device-mapper and md devices, floppies and optical drives are no disks.
    static func isDisk(_ name: String) -> Bool {
        ["sd", "nvme", "vd", "xvd", "hd", "mmcblk"].contains { name.hasPrefix($0) } && !name.contains("boot")
            && (!name.contains("c") || !name.hasPrefix("nvme"))
    }

    /// What the kernel does with any disk.
    private func general(_ base: String, _ transport: DiskTransport) -> [EraseMethod] {
        (files.number(base + "/queue/discard_max_bytes") ?? 0) > 0 ? [.discard, .overwrite] : [.overwrite]
    }

    /// `/dev/nvme0` of `nvme0n1`.
    static func controllerPath(_ name: String) -> String {
        name.hasPrefix("nvme") ? "/dev/nvme" + name.dropFirst(4).prefix { $0.isNumber } : "/dev/" + name
    }

    private func serial(_ base: String) -> String? {
        if let serial = files.text(base + "/serial") ?? files.text(base + "/device/serial") { return serial }
        // SCSI and SATA: vital product data, page 80h: 4 bytes of header, then the serial.
        if let page = files.bytes(base + "/device/vpd_pg80"), page.count > 4 {
            let text = String(decoding: page.dropFirst(4).filter { $0 > 0x20 && $0 < 0x7f }, as: UTF8.self)
            if !text.isEmpty { return text }
        }
        return nil
    }

    /// Names that the standard makes unique; a `t10.` name is vendor text, kept by the kernel for want of better.
    static func isUnique(_ wwn: String) -> Bool {
        ["naa.", "eui.", "nvme.", "uuid.", "0x"].contains { wwn.hasPrefix($0) }
    }

    static func transport(name: String, device: String, nvme: String?) -> DiskTransport {
        if name.hasPrefix("nvme") { return nvme == nil || nvme == "pcie" ? .nvme : .nvmeOverFabrics }
        if device.contains("/usb") { return .usb }
        if device.contains("/rport-") || device.contains("/fc_") { return .fibreChannel }
        if device.contains("/session") { return .iscsi }
        if device.contains("/ata") { return .sata }
        if device.contains("/end_device-") || device.contains("/port-") { return .sas }
        if name.hasPrefix("vd") || device.contains("/virtio") { return .virtio }
        // A SCSI host on PCI without SAS ports: a RAID controller's virtual drive.
        return device.contains("/host") ? .raid : .unknown
    }

    /// Multipath keeps a holder on each of its paths.
    private func shared(_ base: String) -> String? {
        let holders = files.list(base + "/holders")
        return holders.contains { $0.hasPrefix("dm-") }
            ? "it is held by \(holders.joined(separator: ", ")), such as multipath" : nil
    }

    /// What the first 64 KiB say is on a disk.
    static func signatures(_ bytes: [UInt8]) -> [String] {
        func has(_ text: String, at offset: Int) -> Bool {
            bytes.count >= offset + text.utf8.count && bytes[offset..<offset + text.utf8.count].elementsEqual(text.utf8)
        }
        var found: [String] = []
        if has("EFI PART", at: 512) || has("EFI PART", at: 4096) { found.append("gpt") }
        if bytes.count >= 512, bytes[510] == 0x55, bytes[511] == 0xaa, found.isEmpty { found.append("mbr") }
        if bytes.count > 0x43a, bytes[0x438] == 0x53, bytes[0x439] == 0xef { found.append("ext4") }
        if has("XFSB", at: 0) { found.append("xfs") }
        if has("LABELONE", at: 512) { found.append("lvm") }
        if has("LUKS", at: 0) { found.append("luks") }
        if has("hsqs", at: 0) { found.append("squashfs") }
        if found.isEmpty, bytes.contains(where: { $0 != 0 }) { found.append("data") }
        return found
    }
}
