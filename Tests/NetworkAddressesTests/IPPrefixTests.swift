import NetworkAddresses
import Testing

@Suite struct IPPrefixTests {
    @Test(
        "reads addresses with a prefix of either family, and nothing else",
        arguments: [
            ("10.77.0.5/24", "10.77.0.5/24"), ("fd00:77:0::5/64", "fd00:77::5/64"), ("::/0", "::/0"),
            ("10.77.0.5/33", nil), ("fd00::1/129", nil), ("10.77.0.5", nil), ("10.77.0.5/024", nil),
            ("10.77.0.5/-1", nil), ("10.77.0.5/24/8", nil), ("fe80::1%eth0/64", nil),
        ] as [(String, String?)])
    func reads(text: String, prefix: String?) { #expect(IPPrefix(text)?.description == prefix) }

    @Test(
        "knows who lies in it, who can be a host, and whether it is a network itself",
        arguments: [
            ("10.77.0.5/24", "10.77.0.254", true, true), ("10.77.0.5/24", "10.77.1.1", false, false),
            ("10.77.0.5/24", "10.77.0.0", true, false), ("10.77.0.5/24", "10.77.0.255", true, false),
            ("10.77.0.4/31", "10.77.0.4", true, true), ("10.77.8.5/21", "10.77.15.1", true, true),
            ("10.77.8.5/21", "10.77.16.1", false, false), ("0.0.0.0/0", "192.0.2.1", true, true),
            ("fd00::5/64", "fd00::1", true, true), ("fd00::5/64", "fd00::", true, false),
            ("fd00::5/127", "fd00::4", true, true), ("fd00::5/64", "fd00:0:0:1::1", false, false),
            ("::/0", "10.77.0.1", false, false),
        ] as [(String, String, Bool, Bool)])
    func members(text: String, other: String, isInside: Bool, isHost: Bool) throws {
        let (prefix, address) = (try #require(IPPrefix(text)), try #require(IPAddress(other)))
        #expect(prefix.contains(address) == isInside)
        #expect(prefix.isHost(address) == isHost)
    }

    @Test(
        "host bits tell an address in a network from the network",
        arguments: [
            ("10.77.0.0/24", true), ("10.77.0.1/24", false), ("10.77.8.0/21", true), ("10.77.9.0/21", false),
            ("0.0.0.0/0", true), ("10.0.0.1/32", true), ("fd00::/8", true), ("fd00::/7", false), ("::1/128", true),
        ])
    func networks(text: String, isNetwork: Bool) throws { #expect(try #require(IPPrefix(text)).isNetwork == isNetwork) }

    @Test("an IPv4 prefix has a mask")
    func mask() {
        #expect(IPPrefix("10.77.0.5/21")?.mask == IPv4Address(255, 255, 248, 0))
        #expect(IPPrefix("fd00::1/64")?.mask == nil)
    }
}
