import TestSupport
import Testing

@testable import IPMI

/// Laid out from the Platform Management FRU Information Storage Definition v1.0.
@Suite struct FRUTests {
    /// Header; board area of 32 bytes at 8: English, made 2020-01-01, `Acme` `X1`, serial `BRD 42` in 6 bits, part 12-34 in BCD plus.
    static func inventory() -> [UInt8] {
        var board = bytes("01 04 00 80a0c0 c4 41636d65 c2 5831 85") + packed + bytes("43 12b34a c1")
        board += Array(repeating: 0, count: 31 - board.count)
        board.append(0 &- board.reduce(0, &+))
        let header: [UInt8] = [1, 0, 0, 1, 0, 0, 0]
        return header + [0 &- header.reduce(0, &+)] + board
    }

    /// `BRD 42`: 22h 32h 24h 00h 14h 12h, six bits each, the low ones first.
    static let packed: [UInt8] = {
        let values: [UInt64] = [0x22, 0x32, 0x24, 0x00, 0x14, 0x12]
        let bits = values.enumerated().reduce(UInt64(0)) { $0 | $1.element << UInt64(6 * $1.offset) }
        return (0..<5).map { UInt8(truncatingIfNeeded: bits >> UInt64(8 * $0)) }
    }()

    @Test("texts of all kinds, and the day it was made")
    func whole() {
        let fru = FRUInformation(Self.inventory())
        #expect(
            fru.board
                == .init(
                    // C0A080h minutes after 1996-01-01.
                    made: 820_454_400 + 0xc0a080 * 60, manufacturer: "Acme", product: "X1", serial: "BRD 42",
                    part: "12-34"), "\(fru)")
        #expect(fru.product == nil && fru.chassis == nil && fru.faults.isEmpty)
    }

    @Test("a broken checksum or length is told, and nothing of that area is believed")
    func broken() {
        var bytes = Self.inventory()
        bytes[20] ^= 1
        #expect(FRUInformation(bytes).board == nil)
        #expect(FRUInformation(bytes).faults == ["the checksum of the board area is wrong"])
        #expect(FRUInformation(Array(Self.inventory().dropLast())).faults == ["the board area is cut off"])
        #expect(FRUInformation([0, 0, 0, 0, 0, 0, 0, 0]).faults == ["no common header"])
        for length in 0..<Self.inventory().count { _ = FRUInformation(Array(Self.inventory().prefix(length))) }
    }

    @Test(
        "read in pieces, by bytes and by words, as large as the BMC allows",
        arguments: [(false, 255), (true, 255), (false, 3), (true, 4)])
    func reading(byWords: Bool, limit: Int) throws {
        let (all, scale) = (Self.inventory(), byWords ? 2 : 1)
        var reading = FRUReading()
        try converse(&reading) { request in
            if request.command == 0x10 { return (.success, [UInt8(all.count), 0, byWords ? 1 : 0]) }
            let offset = (Int(request.data[1]) | Int(request.data[2]) << 8) * scale
            let count = Int(request.data[3]) * scale
            guard count <= limit else { return (.tooManyBytes, []) }
            let part = all.dropFirst(offset).prefix(count)
            return (.success, [UInt8(part.count / scale)] + part)
        }
        #expect(reading.information == FRUInformation(all) && reading.information.board?.serial == "BRD 42")
    }
}
