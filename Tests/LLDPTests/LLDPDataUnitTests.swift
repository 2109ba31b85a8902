import LLDP
import TestSupport
import Testing

@Suite struct LLDPDataUnitTests {
    static func part(_ kind: UInt8, _ value: [UInt8]) -> [UInt8] {
        [kind << 1 | UInt8(value.count >> 8), UInt8(value.count & 0xff)] + value
    }

    static func part(_ kind: UInt8, subtype: UInt8, _ text: String) -> [UInt8] { part(kind, [subtype] + text.utf8) }

    static let head =
        part(1, [4, 0x44, 0x38, 0x39, 0, 0, 7]) + part(2, subtype: 5, "Ethernet1/7") + part(3, [0, 120])

    @Test("a switch's word: names, VLAN, and what is not understood")
    func whole() throws {
        let bytes =
            Self.head + Self.part(4, Array("rack 7, unit 12".utf8)) + Self.part(5, Array("leaf-7".utf8))
            + Self.part(7, [0, 20, 0, 4]) + Self.part(127, [0, 0x12, 0x0f, 1, 3])
            + Self.part(127, [0, 0x80, 0xc2, 1, 0, 42])
            + Self.part(5, Array("another".utf8)) + [0, 0] + Self.part(5, Array("padding".utf8))
        let unit = try LLDPDataUnit(parsing: bytes)
        #expect(unit.chassis.description == "44:38:39:00:00:07" && unit.port.description == "Ethernet1/7")
        #expect(unit.secondsToLive == 120 && unit.systemName == "leaf-7" && unit.portVLAN == 42)
        #expect(unit.portDescription == "rack 7, unit 12")
    }

    @Test(
        "identifiers by their subtype",
        arguments: [
            (1, [7] + Array("chassis 1".utf8), "chassis 1"), (1, [5, 1, 10, 0, 0, 1], "10.0.0.1"),
            (1, [5, 2, 0xfd, 0] + [UInt8](repeating: 0, count: 13) + [1], "fd00::1"),
            (2, [3, 2, 0, 0, 0, 0, 9], "02:00:00:00:00:09"), (2, [4, 1, 10, 0, 0, 2], "10.0.0.2"),
            (2, [7] + Array("Te1/0\u{1b}[2J\n".utf8), "Te1/0[2J"),
            // A MAC address of another length is shown as the text it may be.
            (2, [3] + Array("abc".utf8), "abc"),
        ] as [(UInt8, [UInt8], String)])
    func identifiers(kind: UInt8, value: [UInt8], words: String) throws {
        let other = Self.part(3 - kind, subtype: 7, "x")
        let own = Self.part(kind, value)
        let unit = try LLDPDataUnit(parsing: (kind == 1 ? own + other : other + own) + Self.part(3, [0, 1]))
        #expect((kind == 1 ? unit.chassis : unit.port).description == words)
    }

    @Test("VLANs that are none", arguments: [0, 4095, 65535] as [UInt16])
    func noVLAN(number: UInt16) throws {
        let part = Self.part(127, [0, 0x80, 0xc2, 1, UInt8(number >> 8), UInt8(number & 0xff)])
        #expect(try LLDPDataUnit(parsing: Self.head + part).portVLAN == nil)
    }

    @Test("what does not hold is refused, wherever it ends")
    func broken() throws {
        let whole = Self.head + Self.part(5, Array("leaf".utf8))
        for length in 0..<whole.count where length != Self.head.count {
            #expect(throws: (any Error).self, "\(length)") { try LLDPDataUnit(parsing: whole.prefix(length)) }
        }
        let (chassis, port, life) = (Self.head.prefix(9), Self.head.dropFirst(9).prefix(14), Self.head.suffix(4))
        #expect(throws: LLDPError.order) { try LLDPDataUnit(parsing: port + chassis + life) }
        #expect(throws: LLDPError.order) { try LLDPDataUnit(parsing: [0, 0]) }
        #expect(throws: LLDPError.empty) { try LLDPDataUnit(parsing: Self.part(1, [4]) + port + life) }
        #expect(throws: LLDPError.empty) { try LLDPDataUnit(parsing: Self.part(1, [7, 10, 7]) + port + life) }
    }
}
