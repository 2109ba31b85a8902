import TestSupport
import Testing

@testable import AgentCore

/// A small image's first MiB, made by the fields of UEFI 2.10 §5.3.
func sampleImageHead(diskBlocks: UInt64 = 8192, activeFlag: UInt8 = 0) -> [UInt8] {
    func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }
    var entries = [UInt8](repeating: 0, count: 128 * 128)
    for (index, name) in ["ESP", "slipway-state"].enumerated() {
        var entry = [UInt8](repeating: UInt8(index + 1), count: 16) + [UInt8](repeating: UInt8(index + 0x11), count: 16)
        entry += little(UInt64(2048 * (index + 1)), 8) + little(UInt64(2048 * (index + 2) - 1), 8) + little(0, 8)
        entry += name.utf16.flatMap { little(UInt64($0), 2) }
        entries.replaceSubrange(index * 128..<index * 128 + entry.count, with: entry)
    }
    var header =
        Array("EFI PART".utf8) + little(0x10000, 4) + little(92, 4) + little(0, 8) + little(1, 8)
        + little(diskBlocks - 1, 8)
    header +=
        little(34, 8) + little(diskBlocks - 34, 8) + [UInt8](repeating: 0xaa, count: 16) + little(2, 8) + little(128, 4)
    header += little(128, 4) + little(UInt64(CRC32.of(entries)), 4)
    header.replaceSubrange(16..<20, with: little(UInt64(CRC32.of(header)), 4))
    var head = [UInt8](repeating: 0, count: 1 << 20)
    head[446] = activeFlag
    head[450] = 0xee
    head[510] = 0x55
    head[511] = 0xaa
    head.replaceSubrange(512..<512 + header.count, with: header)
    head.replaceSubrange(1024..<1024 + entries.count, with: entries)
    return head
}

@Suite struct GPTTests {
    @Test("reads partitions with their names and numbers")
    func reads() throws {
        let table = try GPT(head: sampleImageHead())
        #expect(table.entries.map(\.name) == ["ESP", "slipway-state"])
        #expect(table.entries.map(\.number) == [1, 2])
        #expect(table.entries[0].blocks == 2048...4095)
    }

    @Test("the backup moves to the end of the disk it lands on, and both copies are sound")
    func fits() throws {
        let head = sampleImageHead(activeFlag: 0x80)
        var table = try GPT(head: head)
        let size: Int64 = 100 << 20
        try table.fit(diskBytes: size)
        let primary = table.primary(in: head, diskBytes: size)
        #expect(primary[446] == 0)  // EDK2 refuses an active protective entry.
        let again = try GPT(head: primary)
        #expect(again.entries == table.entries)
        let backup = table.backup(diskBytes: size)
        #expect(backup.count == 33 * 512)
        // The backup, laid out as a primary is, passes the same checks once its positions are put back.
        let header = Array(backup[(32 * 512)..<(32 * 512 + 92)])
        #expect(
            header[24..<32].elementsEqual((0..<8).map { UInt8(truncatingIfNeeded: (size / 512 - 1) >> Int64(8 * $0)) }))
        var blank = header
        blank.replaceSubrange(16..<20, with: [0, 0, 0, 0])
        #expect(
            header[16..<20].elementsEqual((0..<4).map { UInt8(truncatingIfNeeded: CRC32.of(blank) >> UInt32(8 * $0)) }))
    }

    @Test("a disk that a partition does not fit is refused")
    func tooSmall() throws {
        var table = try GPT(head: sampleImageHead())
        #expect(throws: GPTError.self) { try table.fit(diskBytes: 6144 * 512) }
    }

    @Test("any flipped bit of header or entries is found, and nothing traps")
    func broken() throws {
        let head = sampleImageHead()
        var generator = SeededGenerator(seed: 4)
        for offset in Array(512..<604) + (0..<200).map({ _ in Int.random(in: 1024..<1024 + 16384, using: &generator) })
        {
            var copy = head
            copy[offset] ^= 1
            #expect(throws: GPTError.self) { try GPT(head: copy) }
        }
        #expect(throws: GPTError.self) { try GPT(head: Array(head.prefix(1000))) }
    }

    @Test("CRC-32 of the check string")
    func crc() { #expect(CRC32.of("123456789".utf8) == 0xcbf4_3926) }

    @Test(
        "XXH64 of known strings (xxHash reference vectors, seed 0)",
        arguments: [
            ("", 0xef46_db37_51d8_e999), ("a", 0xd24e_c4f1_a98c_6e5b), ("abc", 0x44bc_2cf5_ad77_0999),
            ("Nobody inspects the spammish repetition", 0xfbce_a83c_8a37_8bf1),
        ] as [(String, UInt64)])
    func xxh64(text: String, sum: UInt64) { #expect(Array(text.utf8).withUnsafeBytes { XXH64.of($0) } == sum) }
}
