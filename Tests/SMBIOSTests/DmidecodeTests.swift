import Foundation
import SMBIOS
import TestSupport
import Testing

/// What we read of real machines' tables is what dmidecode reads of them.
@Suite struct DmidecodeTests {
    static let machines = ["dell-poweredge-1800", "hp-proliant-dl580-g5", "hp-z600", "ibm-x3950-m2", "vmware"]

    @Test("every field of every structure, of real machines", arguments: machines)
    func real(name: String) async throws {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: "dmidump", subdirectory: "Fixtures"))
        try await Self.compare(url.path)
    }

    /// Structures that those machines are too old for, made by the specification.
    @Test("the fields of version 3")
    func made() async throws {
        let structures: [(UInt8, [UInt8], [String])] = [
            (
                3, [1, 0x97, 2, 3, 4, 3, 3, 3, 2, 0, 0, 0, 0, 2, 1, 1, 3, 1, 2, 3, 5],
                ["Dell", "v", "S1", "A1", "SKU1"]
            ),
            (4, Self.processor, ["CPU1", "AMD", "EPYC 9654", "S", "P"]),
            (9, [1, 0xb4, 13, 4, 4, 1, 0, 4, 1, 1, 0, 0x3b, 0x0a], ["PCIe Slot 3"]),
            (41, [1, 0x85, 1, 0, 0, 0x18, 1], ["Integrated NIC 1 Port 2-1"]),
            (43, Array("IFX".utf8) + [0, 2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], ["TPM"]),
            (38, [4, 0x20, 0x20, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], []), (127, [], []),
        ]
        var table: [UInt8] = []
        for (index, (kind, area, texts)) in structures.enumerated() {
            table += [kind, UInt8(area.count + 4), UInt8(index), 0] + area
            table += (texts.isEmpty ? [0] : texts.flatMap { Array($0.utf8) + [0] }) + [0]
        }
        var entry = Array("_SM3_".utf8) + [0, 24, 3, 3, 0, 1, 0]
        entry += withUnsafeBytes(of: UInt32(table.count).littleEndian) { Array($0) } + [32, 0, 0, 0, 0, 0, 0, 0]
        entry[5] = 0 &- entry.reduce(0, &+)
        entry += [UInt8](repeating: 0, count: 32 - entry.count)
        try await withTemporaryDirectory { directory in
            try Data(entry + table).write(to: URL(fileURLWithPath: directory + "/dump"))
            let found = try await Self.compare(directory + "/dump")
            #expect(found.processors.map(\.cores) == [384] && found.processors.map(\.threads) == [768])
            #expect(found.chassis?.sku == "SKU1" && found.chassis?.heightUnits == 2)
            #expect(found.places.map(\.pciAddress) == ["0001:3b:01.2", "0000:18:00.1"])
        }
    }

    private static let processor: [UInt8] = {
        var area = [UInt8](repeating: 0, count: 44)
        for (offset, value) in [
            (4, 1), (5, 3), (7, 2), (0x10, 3), (0x14, 0xf4), (0x15, 0x0e), (0x18, 0x41), (0x20, 4), (0x22, 5),
            (0x23, 0xff), (0x24, 0xff), (0x25, 0xff), (0x2a, 0x80), (0x2b, 1), (0x2c, 0x80), (0x2d, 1), (0x2f, 3),
        ] as [(Int, UInt8)] { area[offset - 4] = value }
        return area
    }()

    @discardableResult
    private static func compare(_ path: String) async throws -> SMBIOSTable {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let table = SMBIOSTable(bytes.dropFirst(32))
        let version = try #require(SMBIOSVersion(entryPoint: Array(bytes.prefix(32))))
        let referee = try await records(path)
        let (own, isNew) = (Own(version: version), version >= SMBIOSVersion(major: 2, minor: 6))
        for kind: UInt8 in [0, 1, 2, 3, 4, 9, 16, 17, 38, 41, 43] {
            let theirs = referee[kind] ?? []
            // Some tell of cache cards and the like as processors; dmidecode shows places of PCI since version 2.6.
            let ours = table.structures.filter { $0.kind.rawValue == kind }.map { own.fields(of: $0) }
            #expect(ours.count == theirs.count, "type \(kind)")
            for (ours, theirs) in zip(ours, theirs) {
                for (key, value) in ours {
                    if !isNew && key == "UUID" { continue }
                    // Enabled, idle, or disabled by a person.
                    let theirs = theirs[key].map { key == "Status" ? String($0.prefix { $0 != "," }) : $0 }
                    #expect(value == theirs.flatMap(meaningful), "\(path) type \(kind), \(key)")
                }
            }
        }
        return table
    }

    private static func meaningful(_ text: String) -> String? {
        let text = text.trimmingCharacters(in: .whitespaces)
        return ["", "Not Specified", "Unknown", "No Module Installed", "Not Installed", "Unspecified", "Other"]
            .contains(text)
            ? nil : text
    }

    /// Blocks of `\tKey: value` lines below `Handle …, DMI type N, …`.
    private static func records(_ path: String) async throws -> [UInt8: [[String: String]]] {
        let output = try await ChildProcess.run("dmidecode", ["--from-dump", path]).output
        var found: [UInt8: [[String: String]]] = [:]
        for block in output.components(separatedBy: "\n\n") {
            let lines = block.split(separator: "\n")
            guard let first = lines.first, first.hasPrefix("Handle "),
                let kind = first.split(separator: " ").dropFirst(4).first.flatMap({ UInt8($0.dropLast()) })
            else { continue }
            var fields: [String: String] = [:]
            for line in lines.dropFirst(2) where line.hasPrefix("\t") && !line.hasPrefix("\t\t") {
                guard let colon = line.firstIndex(of: ":") else { continue }
                fields[String(line[..<colon].dropFirst())] = String(line[line.index(after: colon)...].dropFirst())
            }
            found[kind, default: []].append(fields)
        }
        return found
    }
}

/// Our fields under dmidecode's names, written as it writes them.
private struct Own {
    let version: SMBIOSVersion

    func fields(of structure: SMBIOSStructure) -> [String: String?] {
        if let firmware = FirmwareInformation(structure) {
            return ["Vendor": firmware.vendor, "Version": firmware.version, "Release Date": firmware.date]
        }
        if let system = SystemInformation(structure) {
            return [
                "Manufacturer": system.manufacturer, "Product Name": system.product, "Version": system.version,
                "Serial Number": system.serial, "SKU Number": system.sku, "Family": system.family,
            ]
        }
        if let board = BoardInformation(structure) {
            return [
                "Manufacturer": board.manufacturer, "Product Name": board.product, "Version": board.version,
                "Serial Number": board.serial, "Asset Tag": board.assetTag,
            ]
        }
        if let chassis = ChassisInformation(structure) {
            return [
                "Manufacturer": chassis.manufacturer, "Type": chassis.kind.name?.capitalized,
                "Version": chassis.version,
                "Serial Number": chassis.serial, "Asset Tag": chassis.assetTag, "SKU Number": chassis.sku,
                "Height": chassis.heightUnits.map { "\($0) U" },
            ]
        }
        if let processor = ProcessorSocket(structure) {
            return [
                "Socket Designation": processor.designation, "Manufacturer": processor.manufacturer,
                "Version": processor.version, "Serial Number": processor.serial, "Part Number": processor.partNumber,
                "Core Count": processor.cores.map(String.init), "Thread Count": processor.threads.map(String.init),
                "Max Speed": processor.maximumMHz.map { "\($0) MHz" },
                "Status": processor.isPopulated ? "Populated" : "Unpopulated",
            ]
        }
        return parts(of: structure)
    }

    private func parts(of structure: SMBIOSStructure) -> [String: String?] {
        if let place = DevicePlace(structure) {
            let name = place.kind == .slot ? "Designation" : "Reference Designation"
            return [name: place.designation, "Bus Address": place.pciAddress]
        }
        if let array = MemoryArray(structure) {
            let corrections: [MemoryArray.Correction: String] = [
                .none: "None", .singleBit: "Single-bit ECC", .multipleBits: "Multi-bit ECC",
            ]
            return [
                "Number Of Devices": "\(array.sockets)", "Error Correction Type": corrections[array.correction],
                "Use": array.isSystemMemory ? "System Memory" : "Flash Memory",
            ]
        }
        if let module = MemoryDevice(structure) {
            return [
                "Locator": module.locator, "Bank Locator": module.bank, "Manufacturer": module.manufacturer,
                "Serial Number": module.serial, "Part Number": module.partNumber,
                "Speed": module.speedMTps.map { "\($0) MT/s" }, "Size": module.sizeBytes.map(size),
            ]
        }
        if let interface = ManagementInterface(structure) {
            let kinds: [ManagementInterface.Kind: String] = [
                .kcs: "KCS (Keyboard Control Style)", .smic: "SMIC (Server Management Interface Chip)",
                .bt: "BT (Block Transfer)", .ssif: "SSIF (SMBus System Interface)",
            ]
            return ["Specification Version": interface.specification, "Interface Type": kinds[interface.kind]]
        }
        if let tpm = TPMInformation(structure) {
            return [
                "Vendor ID": tpm.vendor, "Specification Version": tpm.specification, "Description": tpm.description,
            ]
        }
        return [:]
    }

    private func size(_ bytes: Int64) -> String {
        if bytes % (1 << 30) == 0 { return "\(bytes >> 30) GB" }
        return bytes % (1 << 20) == 0 ? "\(bytes >> 20) MB" : "\(bytes >> 10) kB"
    }
}
