import DHCP
import TestSupport
import Testing

@Suite struct OptionsTests {
    @Test(
        "decodes known bytes",
        arguments: [
            ("350101 ff", OptionCode.messageType, [1]),  // DHCPDISCOVER (RFC 2132 §9.6)
            ("00 5d020007 ff", .clientArchitecture, [0, 7]),  // pad, then x64 UEFI (RFC 4578 §2.1)
            ("fa01aa fa01bb ff", OptionCode(rawValue: 250), [0xaa, 0xbb]),  // unnamed and split (RFC 3396)
            ("3d00", .clientIdentifier, []),  // no End, empty value
        ] as [(String, OptionCode, [UInt8])])
    func decodes(hex: String, code: OptionCode, value: [UInt8]) throws {
        #expect(try Options(parsing: bytes(hex))[code] == value)
    }

    @Test("rejects every truncation", arguments: 1...3)
    func truncated(length: Int) {
        #expect(throws: OptionsError.self) { try Options(parsing: Array(bytes("5d020007").prefix(length))) }
    }

    @Test("splits a long value, and joins it again (RFC 3396)")
    func long() throws {
        var options = Options()
        let value = (0..<600).map { UInt8(truncatingIfNeeded: $0) }
        options[.vendorSpecific] = value
        #expect(options.encoded.count == 600 + 3 * 2)
        #expect(try Options(parsing: options.encoded)[.vendorSpecific] == value)
    }

    @Test("unknown options survive a round trip in their order")
    func roundTrip() throws {
        let area = bytes("350101 e001aa 5d020007 e102bbcc")
        #expect(try Options(parsing: area).encoded == area)
    }

    @Test("random bytes never trap")
    func random() {
        var generator = SeededGenerator(seed: 1)
        for length in 0..<400 { _ = try? Options(parsing: generator.bytes(length)) }
    }
}
