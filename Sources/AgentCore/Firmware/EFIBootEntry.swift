import WireBytes

/// A UEFI boot option (UEFI 2.10 §3.1.3) that starts a file on a partition of a GPT disk. Pure.
struct EFIBootEntry: Equatable {
    var title: String
    var partition: GPT.Entry
    /// With backslashes, such as `\EFI\BOOT\BOOTX64.EFI`.
    var file: String

    /// The variable's content without the attributes that efivarfs puts before it.
    var encoded: [UInt8] {
        var hardDrive = ByteWriter()
        hardDrive.append([4, 1, 42, 0])
        hardDrive.uint32LE(UInt32(partition.number))
        hardDrive.uint64LE(partition.blocks.lowerBound)
        hardDrive.uint64LE(partition.blocks.upperBound - partition.blocks.lowerBound + 1)
        hardDrive.append(partition.unique)
        // A GPT, told by its GUID.
        hardDrive.append([2, 2])
        let name = Self.utf16(file)
        var path = ByteWriter()
        path.append([4, 4])
        path.uint16LE(UInt16(clamping: 4 + name.count))
        path.append(name)
        let devicePath = hardDrive.bytes + path.bytes + [0x7f, 0xff, 4, 0]
        var option = ByteWriter()
        // LOAD_OPTION_ACTIVE
        option.uint32LE(1)
        option.uint16LE(UInt16(clamping: devicePath.count))
        option.append(Self.utf16(title))
        option.append(devicePath)
        return option.bytes
    }

    /// The title of an option; nil when it is cut.
    static func title(of option: [UInt8]) -> String? {
        var reader = ByteReader(option)
        guard (try? reader.take(6, "attributes")) != nil else { return nil }
        var units: [UInt16] = []
        while let unit = try? reader.uint16LE("title") {
            if unit == 0 { return String(decoding: units, as: UTF16.self) }
            units.append(unit)
        }
        return nil
    }

    /// Whether an option's device path begins with a network card or a MAC address: the firmware's own network entries.
    static func isNetwork(_ option: [UInt8]) -> Bool {
        // Messaging (3), MAC address (11), IPv4 (12), IPv6 (13), URI (24); BIOS boot specification (5, 1) type 3 is PXE's old form.
        nodes(of: option).contains { $0[0] == 3 && [11, 12, 13, 24].contains($0[1]) }
    }

    /// The unique GUID of the GPT partition that an option leads to; nil when it leads elsewhere.
    static func partition(of option: [UInt8]) -> [UInt8]? {
        // Media (4), hard drive (1); the signature is a GUID (2).
        nodes(of: option).first { $0[0] == 4 && $0[1] == 1 && $0.count >= 42 && $0[41] == 2 }.map { Array($0[24..<40]) }
    }

    /// The nodes of an option's device path (UEFI 2.10 §10.3.1), each with its head of four bytes.
    private static func nodes(of option: [UInt8]) -> [[UInt8]] {
        guard let title = title(of: option) else { return [] }
        let path = Array(option.dropFirst(6 + (title.utf16.count + 1) * 2))
        var nodes: [[UInt8]] = []
        var offset = 0
        while offset + 4 <= path.count, path[offset] != 0x7f {
            let length = Int(path[offset + 2]) | Int(path[offset + 3]) << 8
            nodes.append(Array(path[offset..<min(offset + max(length, 4), path.count)]))
            guard length >= 4 else { break }
            offset += length
        }
        return nodes
    }

    private static func utf16(_ text: String) -> [UInt8] {
        (Array(text.utf16) + [0]).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    }
}
