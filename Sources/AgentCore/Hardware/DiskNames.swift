import Inventory

/// The names that udev gives a disk in /dev/disk/by-id, which other systems know it by (systemd's 60-persistent-storage.rules). Pure.
enum DiskNames {
    static func of(transport: DiskTransport, model: String?, serial: String?, wwn: String?) -> [String] {
        let together = serial.map { serial in model.map { clean($0) + "_" + clean(serial) } ?? clean(serial) }
        let identifier = wwn.flatMap { $0.hasPrefix("naa.") ? String($0.dropFirst(4)) : nil }
        let worldwide = identifier.map { "wwn-0x" + $0 }
        let names: [String?] =
            switch transport {
            case .nvme: [wwn.map { "nvme-" + $0 }, together.map { "nvme-" + $0 }]
            case .sata: [together.map { "ata-" + $0 }, worldwide]
            case .sas, .raid: [identifier.map { "scsi-3" + $0 }, worldwide]
            case .virtio: [serial.map { "virtio-" + clean($0) }]
            case .usb, .fibreChannel, .iscsi, .nvmeOverFabrics, .unknown: [worldwide]
            }
        return names.compactMap { $0 }
    }

    /// Blanks become one underscore, as does what a path does not like.
    static func clean(_ text: String) -> String {
        let marks = Set("#+-.:=@_".utf8)
        return text.split(separator: " ").map { word in
            String(
                decoding: word.utf8.map { byte in
                    let letter = byte | 0x20
                    let isPlain = (0x30...0x39).contains(byte) || (0x61...0x7a).contains(letter) || marks.contains(byte)
                    return isPlain ? byte : UInt8(ascii: "_")
                }, as: UTF8.self)
        }.joined(separator: "_")
    }
}
