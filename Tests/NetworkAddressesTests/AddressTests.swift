import NetworkAddresses
import Testing

@Suite struct AddressTests {
    @Test(
        "reads a MAC address in every common notation",
        arguments: [
            "52:54:00:12:ab:CD", "52-54-00-12-AB-cd", "5254.0012.abcd", "52540012abcd",
        ])
    func macNotations(text: String) throws {
        let mac = try #require(MACAddress(text))
        #expect(mac.description == "52:54:00:12:ab:cd")
        #expect(mac.bytes == [0x52, 0x54, 0, 0x12, 0xab, 0xcd])
        #expect(MACAddress(bytes: mac.bytes) == mac)
    }

    @Test(
        "refuses what is no MAC address",
        arguments: [
            "", "52:54:00:12:ab", "52:54:00:12:ab:cd:ef", "52:54:00:12:ab:cg", "5:2:5:4:0:0:1:2:a:b:c:d",
            "::::::525400",
        ])
    func notMAC(text: String) { #expect(MACAddress(text) == nil) }

    @Test("knows group and locally administered addresses")
    func bits() {
        #expect(MACAddress("01:00:5e:00:00:01")!.isMulticast)
        #expect(MACAddress("52:54:00:12:34:56")!.isLocallyAdministered)
        #expect(!MACAddress("00:1b:21:00:00:01")!.isLocallyAdministered)
    }

    @Test("reads and writes IPv4 addresses")
    func ipv4() throws {
        let address = try #require(IPv4Address("10.77.0.1"))
        #expect(address == IPv4Address(10, 77, 0, 1))
        #expect(address.bytes == [10, 77, 0, 1])
        #expect(address.description == "10.77.0.1")
        #expect(IPv4Address("10.77.0.1")! < IPv4Address("10.77.0.10")!)
    }

    @Test(
        "refuses what is no IPv4 address",
        arguments: ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", "1.2.3.-4", "+1.2.3.4"])
    func notIPv4(text: String) { #expect(IPv4Address(text) == nil) }
}

@Suite struct NetworkTests {
    @Test(
        "reads only subnets: no host bits, no odd numbers",
        arguments: [
            ("10.77.0.0/24", "10.77.0.0/24"), ("0.0.0.0/0", "0.0.0.0/0"), ("10.0.0.1/32", "10.0.0.1/32"),
            ("10.77.0.1/24", nil), ("10.77.0.0/33", nil), ("10.77.0.0/024", nil), ("10.77.0.0", nil),
            ("10.77.0.0/", nil),
        ] as [(String, String?)])
    func reads(text: String, network: String?) { #expect(IPv4Network(text)?.description == network) }

    @Test("knows its hosts; /31 and /32 have no address of their own (RFC 3021)")
    func hosts() throws {
        let network = try #require(IPv4Network("10.77.0.0/24"))
        #expect(network.mask == IPv4Address(255, 255, 255, 0) && network.broadcast == IPv4Address(10, 77, 0, 255))
        #expect(network.isHost(IPv4Address(10, 77, 0, 1)) && !network.isHost(IPv4Address(10, 77, 0, 255)))
        #expect(!network.isHost(IPv4Address(10, 77, 0, 0)) && !network.isHost(IPv4Address(10, 77, 1, 1)))
        #expect(IPv4Network("10.0.0.4/31")?.isHost(IPv4Address(10, 0, 0, 5)) == true)
        #expect(IPv4Network(IPv4Address(10, 77, 3, 9), prefixLength: 16)?.description == "10.77.0.0/16")
    }
}

@Suite struct MACPrefixTests {
    @Test(
        "reads three to six octets",
        arguments: [
            ("b8:ca:3a", "b8:ca:3a"), ("B8-CA-3A-01", "b8:ca:3a:01"), ("52:54:00:12:34:56", "52:54:00:12:34:56"),
            ("b8:ca", nil), ("b8:ca:3", nil), ("b8:ca:3a:", nil), ("b8ca3a", nil), ("b8:ca:xx", nil),
        ] as [(String, String?)])
    func reads(text: String, prefix: String?) { #expect(MACPrefix(text)?.description == prefix) }

    @Test("matches whole octets from the front")
    func matches() throws {
        let mac = try #require(MACAddress("52:54:00:12:34:56"))
        #expect(try #require(MACPrefix("52:54:00")).matches(mac))
        #expect(try #require(MACPrefix("52:54:00:12:34:56")).matches(mac))
        #expect(try !#require(MACPrefix("52:54:01")).matches(mac))
        #expect(try !#require(MACPrefix("52:54:00:12:34:57")).matches(mac))
    }
}
