import DHCP
import NetworkAddresses
import TestSupport
import Testing

@Suite struct RelayInformationTests {
    @Test("reads circuit, remote, link selection (RFC 3527) and server override (RFC 5107)")
    func suboptions() throws {
        let value = bytes("01 08 4769312f302f3700 02 05 73772d3132 05 04 0a1e0000 0b 04 0a1e0001 98 01 00")
        let relay = try #require(RelayInformation(value))
        #expect(relay.linkSelection == IPv4Address(10, 30, 0, 0))
        #expect(relay.serverOverride == IPv4Address(10, 30, 0, 1))
        #expect(relay.location == "0x4769312f302f3700 at sw-12")
    }

    @Test("lengths that do not fit make it unreadable; addresses of another length count as absent")
    func broken() {
        for hex in ["01", "0105 61", "0101 61 05"] { #expect(RelayInformation(bytes(hex)) == nil, "\(hex)") }
        #expect(RelayInformation(bytes("0503 0a1e00"))?.linkSelection == nil)
        #expect(RelayInformation([])?.location == nil)
    }

    @Test("random bytes never trap")
    func random() {
        var generator = SeededGenerator(seed: 82)
        for length in 0..<300 { _ = RelayInformation(generator.bytes(length))?.location }
    }
}
