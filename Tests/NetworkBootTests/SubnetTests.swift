import DHCP
import NetworkAddresses
import TestSupport
import Testing

@testable import NetworkBoot

@Suite struct SubnetTableTests {
    static let table = SubnetTable(subnets: [
        Subnet(mode: .pool, interface: "eth1", network: IPv4Network("10.1.0.0/24"), server: IPv4Address(10, 1, 0, 1)),
        Subnet(mode: .proxy, interface: "eth2", server: IPv4Address(10, 2, 0, 1)),
        Subnet(mode: .pool, network: IPv4Network("10.3.0.0/24"), server: IPv4Address(10, 1, 0, 1)),
    ])

    @Test(
        "the relay says where a client is, else the interface, and a renewal's own address where that is elsewhere",
        arguments: [
            ("eth1", "", "", "", 0), ("eth2", "", "", "", 1), ("eth9", "", "", "", nil),
            // Through a relay, whatever interface it came in by.
            ("eth1", "10.3.0.254", "", "", 2), ("eth9", "10.3.0.254", "", "", 2), ("eth1", "10.9.0.254", "", "", nil),
            // RFC 3527: the relay's own address is of another subnet.
            ("eth1", "10.9.0.254", "0504 0a030000", "", 2), ("eth1", "10.3.0.254", "0504 0a010000", "", 0),
            // Renewals.
            ("eth1", "", "", "10.1.0.7", 0), ("eth1", "", "", "10.3.0.7", 2), ("eth2", "", "", "10.8.0.7", 1),
            ("eth1", "", "", "10.8.0.7", 0),
        ] as [(String, String, String, String, Int?)])
    func index(interface: String, relay: String, information: String, renewed: String, index: Int?) {
        var message = Message(operation: .request, xid: 1, chaddr: [2, 0, 0, 0, 0, 1])
        if let relay = IPv4Address(relay) { message.giaddr = relay }
        if let renewed = IPv4Address(renewed) { message.ciaddr = renewed }
        if !information.isEmpty { message.options[.relayAgentInformation] = bytes(information) }
        #expect(Self.table.index(of: message, interface: interface) == index)
    }

    @Test("listens on what is named, and everywhere where nothing is")
    func interfaces() {
        #expect(Self.table.interfaces == ["eth1", "eth2"])
        #expect(SubnetTable(subnets: [Self.table.subnets[2]]).interfaces == [nil])
    }
}

@Suite struct SubnetFaultTests {
    static let server = IPv4Address(10, 1, 0, 1)

    static func subnet(
        _ mode: Subnet.Mode = .pool, _ network: String? = "10.1.0.0/24", interface: String? = "eth1",
        pools: [ClosedRange<IPv4Address>] = [IPv4Address(10, 1, 0, 50)...IPv4Address(10, 1, 0, 99)],
        reservations: [UInt8] = [], router: IPv4Address? = nil
    ) -> Subnet {
        Subnet(
            mode: mode, interface: interface, network: network.flatMap { IPv4Network($0) }, server: server,
            pools: pools,
            reservations: reservations.map {
                .init(key: .mac(MACAddress(rawValue: UInt64($0))), address: IPv4Address(10, 1, 0, $0))
            }, router: router)
    }

    @Test("subnets that can be served have no fault")
    func sound() {
        #expect(Subnet.faults(of: [Self.subnet()]).isEmpty)
        #expect(Subnet.faults(of: [Self.subnet(.proxy, nil, pools: [])]).isEmpty)
        #expect(Subnet.faults(of: [Self.subnet(.reservation, pools: [], reservations: [5])]).isEmpty)
        #expect(
            Subnet.faults(of: [
                Self.subnet(), Self.subnet(.proxy, nil, interface: "eth2", pools: []),
                Self.subnet(.off, "10.3.0.0/24", interface: nil, pools: []),
            ]).isEmpty)
    }

    @Test(
        "what cannot be served is told by its subnet",
        arguments: [
            ([subnet(.pool, nil)], "eth1: mode pool needs `subnet`"),
            ([subnet(.pool, nil, interface: nil)], "any: a subnet names its interface"),
            ([subnet(pools: [])], "10.1.0.0/24: mode pool needs `pools`"),
            ([subnet(.reservation, pools: [])], "10.1.0.0/24: mode reservation needs `reservations`"),
            ([subnet(pools: [IPv4Address(10, 1, 0, 1)...IPv4Address(10, 1, 0, 9)])], "holds our own address 10.1.0.1"),
            ([subnet(pools: [IPv4Address(10, 1, 0, 9)...IPv4Address(10, 1, 1, 9)])], "10.1.1.9 in pools is not a host"),
            ([subnet(router: IPv4Address(10, 1, 0, 60))], "holds the router 10.1.0.60"),
            ([subnet(router: IPv4Address(10, 2, 0, 1))], "the router 10.2.0.1 is not a host"),
            ([subnet(reservations: [1])], "10.1.0.1 is our own address"),
            ([subnet(reservations: [7, 7])], "10.1.0.7 is reserved twice"),
            ([subnet(), subnet(.proxy, nil, pools: [])], "eth1 has 10.1.0.0/24 already"),
            ([subnet(), subnet(.off, "10.1.0.128/25", interface: "eth2", pools: [])], "overlaps with 10.1.0.0/24"),
        ] as [([Subnet], String)])
    func faults(subnets: [Subnet], words: String) {
        let faults = Subnet.faults(of: subnets)
        #expect(faults.contains { $0.contains(words) }, "\(faults)")
    }
}
