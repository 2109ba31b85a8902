import Foundation
import SMBIOS
import Testing

@Suite struct SMBIOSTableTests {
    /// A structure: type, length, handle, the rest of the formatted area, texts.
    private static func structure(_ kind: UInt8, _ area: [UInt8], _ texts: String...) -> [UInt8] {
        [kind, UInt8(4 + area.count), 0x34, 0x12] + area
            + (texts.isEmpty ? [0] : texts.flatMap { Array($0.utf8) + [0] }) + [0]
    }

    /// Type 17 of version 2.7: 40 bytes, of which these are set.
    private static func module(_ values: [Int: UInt8], _ texts: String...) -> [UInt8] {
        var area = [UInt8](repeating: 0, count: 36)
        for (offset, value) in values { area[offset - 4] = value }
        return [17, 40, 0, 17] + area + (texts.isEmpty ? [0] : texts.flatMap { Array($0.utf8) + [0] }) + [0]
    }

    @Test("the table of a machine of QEMU's, as Linux shows it")
    func real() throws {
        let url = try #require(
            Bundle.module.url(forResource: "qemu-q35", withExtension: "dmi", subdirectory: "Fixtures"))
        let table = SMBIOSTable(try Data(contentsOf: url))
        #expect(table.isWhole && table.structures.last?.kind == .endOfTable)
        #expect(table.structures.map(\.kind.rawValue) == [0, 1, 3, 4, 16, 17, 19, 32, 127])
        let system = try #require(table.structures.first { $0.kind.rawValue == 1 })
        #expect(
            system.text(at: 4) == "Slipway" && system.text(at: 5) == "Virtual Rack" && system.text(at: 7) == "VR-01")
        #expect(system.handle == 0x100)
        let memory = try #require(table.memoryDevices.first)
        #expect(table.memoryDevices.count == 1)
        #expect(memory.locator == "DIMM 0" && memory.bank == "BANK 0" && memory.sizeBytes == 2 << 30)
        #expect(memory.manufacturer == "Samsung" && memory.serial == "0123ABCD" && memory.partNumber == "M393A2K43DB3")
        #expect(memory.speedMTps == 3200)
    }

    @Test("texts by their number, without blanks around them; none for a number that is not there")
    func texts() {
        let table = SMBIOSTable(Self.structure(1, [1, 2, 3, 4, 0], "Dell Inc.", "  R750 \t", "   "))
        #expect(table.isWhole)
        #expect((4...8).map { table.structures[0].text(at: $0) } == ["Dell Inc.", "R750", nil, nil, nil])
        #expect(table.structures[0].text(at: 9) == nil && table.structures[0].text(at: -1) == nil)
        // Found by fuzzing: a text that is empty, and has a number all the same.
        let empty = SMBIOSTable([1, 6, 0, 0, 1, 2, 0, 0x42, 0, 0])
        #expect(empty.structures.count == 1 && empty.structures[0].text(at: 4) == nil)
        #expect(empty.structures[0].text(at: 5) == "B")
        #expect(SMBIOSTable([1, 5, 0, 0, 1, 0xff, 0x41, 0, 0]).structures[0].text(at: 4) == "\u{fffd}A")
    }

    @Test(
        "the size of a module (DSP0134 §7.18, offsets 0Ch and 1Ch)",
        arguments: [
            ([0x0c: 0, 0x0d: 0], nil), ([0x0c: 0xff, 0x0d: 0xff], nil), ([0x0c: 0, 0x0d: 0x40], 16 << 30),
            ([0x0c: 0, 0x0d: 0x82], 512 << 10), ([0x0c: 0xff, 0x0d: 0x7f, 0x1e: 1], 64 << 30),
            ([0x0c: 0xff, 0x0d: 0x7f], nil), ([0x0d: 0x80], nil),
            ([0x0c: 0xff, 0x0d: 0x7f, 0x1d: 0x80, 0x1f: 0x80], 32 << 30),
        ] as [([Int: UInt8], Int64?)])
    func size(values: [Int: UInt8], bytes: Int64?) {
        #expect(SMBIOSTable(Self.module(values)).memoryDevices.map(\.sizeBytes) == [bytes])
    }

    @Test(
        "flash and modules that keep what they hold are no main memory",
        arguments: [(0x1a, 3, true), (9, 2, false), (0x1f, 2, false), (0x1a, 7, false)] as [(UInt8, UInt8, Bool)])
    func main(type: UInt8, technology: UInt8, isRAM: Bool) {
        // Version 3.2 has the technology behind what version 2.7 has.
        var module = Self.module([0x12: type])
        module[1] = 41
        module.insert(technology, at: 40)
        #expect(SMBIOSTable(module).memoryDevices.map(\.isRAM) == [isRAM])
    }

    @Test("a module of an older version is shorter, and says less")
    func old() {
        let short = SMBIOSTable(Self.structure(17, [UInt8](repeating: 0, count: 8) + [0, 4, 9, 0, 1, 0], "DIMM A1"))
        #expect(short.memoryDevices.map(\.sizeBytes) == [1 << 30])
        #expect(short.memoryDevices.map(\.locator) == ["DIMM A1"] && short.memoryDevices[0].speedMTps == nil)
    }

    @Test(
        "what does not hold ends the table",
        arguments: [
            ([1], 1), ([1, 3, 0, 0, 0, 0], 1), ([1, 0, 0, 0, 0, 0], 1), ([1, 200, 0, 0, 0, 0], 1),
            ([1, 4, 0, 0, 0x41], 1), ([1, 4, 0, 0, 0x41, 0], 1),
        ] as [([UInt8], Int)])
    func broken(bytes: [UInt8], count: Int) {
        let table = SMBIOSTable(Self.structure(2, [1], "board") + bytes)
        #expect(!table.isWhole && table.structures.count == count && table.structures[0].text(at: 4) == "board")
    }

    @Test("nothing is read behind the end, and nothing is no table's fault")
    func ends() {
        let end = Self.structure(127, [])
        #expect(SMBIOSTable(end + Self.structure(1, [])).structures.count == 1)
        #expect(SMBIOSTable([]).isWhole && SMBIOSTable([]).structures.isEmpty)
    }
}
