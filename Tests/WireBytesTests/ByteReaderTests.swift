import TestSupport
import Testing
import WireBytes

@Suite struct ByteReaderTests {
    @Test("reads what the writer wrote, in both byte orders")
    func roundTrip() throws {
        var writer = ByteWriter()
        writer.uint8(1)
        writer.uint16(0x0203)
        writer.uint32(0x0405_0607)
        writer.uint16LE(0x0908)
        writer.uint32LE(0x0d0c_0b0a)
        writer.uint64LE(0x1514_1312_1110_0f0e)
        writer.fixed([0x16, 0x17, 0x18], 2)
        writer.fixed([0x18], 3)
        #expect(writer.bytes == bytes("01 0203 04050607 0809 0a0b0c0d 0e0f101112131415 1617 180000"))
        var reader = ByteReader(writer.bytes)
        #expect(try reader.uint8("a") == 1)
        #expect(try reader.uint16("b") == 0x0203)
        #expect(try reader.uint32("c") == 0x0405_0607)
        #expect(try reader.uint16LE("d") == 0x0908)
        #expect(try reader.uint32LE("e") == 0x0d0c_0b0a)
        #expect(try reader.uint64LE("f") == 0x1514_1312_1110_0f0e)
        #expect(reader.rest() == bytes("1617 180000"))
        #expect(reader.remaining == 0)
    }

    @Test("an error says which field, where, and how much was there")
    func truncated() {
        var reader = ByteReader([1, 2, 3])
        #expect(throws: Never.self) { try reader.uint16("first") }
        let error = #expect(throws: WireError.self) { try reader.uint32("second") }
        #expect(error?.description == "second at byte 2 needs 4 bytes, and 1 are left")
        #expect(reader.offset == 2)
    }
}
