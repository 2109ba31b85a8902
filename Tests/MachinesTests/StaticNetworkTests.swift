import Machines
import NetworkAddresses
import Testing

@Suite struct StaticNetworkTests {
    static let mac = MACAddress(rawValue: 0x5254_0000_0001)

    @Test(
        "a network that the machine could not be reached with is told by its field",
        arguments: [
            ("10.0.0.5", 24, "10.0.0.1", nil), ("10.0.0.5", 24, nil, nil), ("10.0.0.4", 31, "10.0.0.5", nil),
            ("10.0.0.5", 32, nil, nil), ("10.0.0.5", 0, nil, "prefixLength"), ("10.0.0.5", 33, nil, "prefixLength"),
            ("10.0.0.0", 24, nil, "address"), ("10.0.0.255", 24, nil, "address"), ("127.0.0.1", 8, nil, "address"),
            ("224.0.0.5", 24, nil, "address"), ("0.0.0.5", 24, nil, "address"), ("10.0.0.5", 24, "10.0.1.1", "gateway"),
            ("10.0.0.5", 24, "10.0.0.5", "gateway"), ("10.0.0.5", 24, "10.0.0.255", "gateway"),
        ] as [(String, Int, String?, String?)])
    func faults(address: String, bits: Int, gateway: String?, field: String?) throws {
        let network = Machine.StaticNetwork(
            mac: Self.mac, address: try #require(IPv4Address(address)), prefixLength: bits,
            gateway: gateway.flatMap { IPv4Address($0) })
        #expect(network.fault(macs: [Self.mac])?.field == field)
    }

    @Test("a NIC that the machine does not have")
    func otherNIC() {
        let network = Machine.StaticNetwork(mac: Self.mac, address: IPv4Address(10, 0, 0, 5), prefixLength: 24)
        let fault = network.fault(macs: [MACAddress(rawValue: 0x5254_0000_0002)])
        #expect(fault?.field == "mac")
        #expect(fault?.reason.contains("it has 52:54:00:00:00:02") == true)
    }
}
