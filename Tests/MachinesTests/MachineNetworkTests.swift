import Foundation
import Machines
import NetworkAddresses
import Testing

@Suite struct MachineNetworkTests {
    static let known = [
        KnownPort(mac: MACAddress(rawValue: 0x5254_0000_0001), pciAddress: "0000:3b:00.0", slot: "PCIe Slot 3"),
        KnownPort(mac: MACAddress(rawValue: 0x5254_0000_0002), pciAddress: "0000:3b:00.1", slot: "PCIe Slot 3"),
        KnownPort(mac: MACAddress(rawValue: 0x5254_0000_0003), pciAddress: "0000:5e:00.0", slot: "Integrated NIC 1"),
    ]

    static func network(_ json: String) throws -> MachineNetwork {
        try JSONDecoder().decode(MachineNetwork.self, from: Data(json.utf8))
    }

    static let one = #""lan0": {"port": "52:54:00:00:00:01"}"#
    static let two = #""lan0": {"port": "52:54:00:00:00:01"}, "lan1": {"port": "0000:3b:00.1"}"#
    static let bond =
        #"{"ports": ["lan0", "lan1"], "mode": "802.3ad", "lacpRate": "fast", "hash": "layer3+4", "mtu": 9000}"#

    @Test("bond, VLAN and fixed addresses: ports are found by address, PCI function and label")
    func whole() throws {
        let json = """
            {"nics": {\(Self.two), "admin": {"port": "Integrated NIC 1", "dhcp4": true}}, "bonds": {"bond0": \(Self.bond)},
             "vlans": {"storage": {"id": 42, "on": "bond0", "addresses": ["10.20.42.31/24", "fd00:42::31/64"],
              "gateways": ["fd00:42::1"], "routes": [{"to": "10.30.0.0/16", "via": "10.20.42.1"}]}},
             "dns": {"servers": ["10.20.0.2"], "search": ["example.org"]}, "ntp": ["time.example.org"]}
            """
        let network = try Self.network(json)
        let found = try network.resolved(among: Self.known)
        #expect(found.ports.map(\.name) == ["admin", "lan0", "lan1"])
        #expect(found.ports.map(\.mac) == [Self.known[2].mac, Self.known[0].mac, Self.known[1].mac])
        #expect(found.freePorts.map(\.name) == ["admin"])
        #expect(found.bonds.map { $0.ports.map(\.name) } == [["lan0", "lan1"]])
        #expect(found.vlans(on: "bond0").map(\.settings.id) == [42])
        let again = try JSONDecoder().decode(MachineNetwork.self, from: try JSONEncoder().encode(network))
        #expect(again == network)
        #expect(
            network.summary
                == "admin (Integrated NIC 1) DHCP; storage (VLAN 42 on bond0) 10.20.42.31/24, fd00:42::31/64")
        #expect(network.addresses.map(\.description) == ["10.20.42.31", "fd00:42::31"])
    }

    @Test(
        "what contradicts itself or the hardware is refused at its place",
        arguments: [
            (#"{"nics": {"lan0": {"port": "52:54:00:00:00:09", "dhcp4": true}}}"#, "nics.lan0.port"),
            (#"{"nics": {"lan0": {"port": "PCIe Slot 3", "dhcp4": true}}}"#, "nics.lan0.port"),
            (#"{"nics": {\#(one), "lan1": {"port": "0000:3B:00.0", "dhcp4": true}}}"#, "nics.lan1.port"),
            (#"{"nics": {"eth0": {"port": "52:54:00:00:00:01", "dhcp4": true}}}"#, "nics.eth0"),
            (#"{"nics": {"lan.0": {"port": "52:54:00:00:00:01", "dhcp4": true}}}"#, "nics.lan.0"),
            (#"{"nics": {"a234567890123456": {"port": "52:54:00:00:00:01", "dhcp4": true}}}"#, "nics.a234567890123456"),
            (#"{"nics": {\#(one)}}"#, "nics"),
            (#"{"nics": {\#(two)}, "bonds": {"lan0": \#(bond)}}"#, "bonds.lan0"),
            (#"{"nics": {\#(two)}, "bonds": {"bond0": {"ports": [], "mode": "802.3ad"}}}"#, "bonds.bond0.ports"),
            (#"{"nics": {\#(two)}, "bonds": {"bond0": {"ports": ["lan9"], "mode": "802.3ad"}}}"#, "bonds.bond0.ports"),
            (
                #"{"nics": {\#(two)}, "bonds": {"bond0": {"ports": ["lan0", "lan0"], "mode": "802.3ad"}}}"#,
                "bonds.bond0.ports"
            ),
            (
                #"{"nics": {\#(two)}, "bonds": {"bond0": \#(bond), "bond1": {"ports": ["lan1"], "mode": "802.3ad"}}}"#,
                "bonds.bond1.ports"
            ),
            (
                #"{"nics": {\#(two)}, "bonds": {"bond0": {"ports": ["lan0"], "mode": "active-backup", "lacpRate": "fast"}}}"#,
                "bonds.bond0.lacpRate"
            ),
            (
                #"{"nics": {\#(two)}, "bonds": {"bond0": {"ports": ["lan0"], "mode": "broadcast", "hash": "layer2"}}}"#,
                "bonds.bond0.hash"
            ),
            (
                #"{"nics": {"lan0": {"port": "52:54:00:00:00:01", "dhcp4": true}}, "bonds": {"bond0": {"ports": ["lan0"], "mode": "802.3ad"}}}"#,
                "nics.lan0"
            ),
            (#"{"nics": {\#(one)}, "vlans": {"v": {"id": 4095, "on": "lan0", "dhcp4": true}}}"#, "vlans.v.id"),
            (#"{"nics": {\#(one)}, "vlans": {"v": {"id": 1, "on": "lan9", "dhcp4": true}}}"#, "vlans.v.on"),
            (
                #"{"nics": {\#(two)}, "bonds": {"bond0": \#(bond)}, "vlans": {"v": {"id": 1, "on": "lan0", "dhcp4": true}}}"#,
                "vlans.v.on"
            ),
            (
                #"{"nics": {\#(one)}, "vlans": {"v": {"id": 1, "on": "lan0", "dhcp4": true, "mtu": 9000}}}"#,
                "vlans.v.mtu"
            ),
            (
                #"{"nics": {\#(one)}, "vlans": {"v": {"id": 1, "on": "lan0", "dhcp4": true}, "w": {"id": 1, "on": "lan0"}}}"#,
                "vlans.w.id"
            ),
        ])
    func shapes(json: String, path: String) throws {
        #expect(throws: NetworkFault.self) { try Self.network(json).resolved(among: Self.known) }
        let found = fault(of: try Self.network(json))
        #expect(found?.path == path, "\(found as Any)")
    }

    @Test(
        "what could not reach anybody is refused at its place",
        arguments: [
            (#""addresses": ["10.0.0.0/24"]"#, "nics.lan0.addresses"),
            (#""addresses": ["10.0.0.255/24"]"#, "nics.lan0.addresses"),
            (#""addresses": ["127.0.0.1/8"]"#, "nics.lan0.addresses"),
            (#""addresses": ["224.0.0.5/24"]"#, "nics.lan0.addresses"),
            (#""addresses": ["0.0.0.5/24"]"#, "nics.lan0.addresses"),
            (#""addresses": ["10.0.0.5/0"]"#, "nics.lan0.addresses"),
            (#""addresses": ["ff02::1/64"]"#, "nics.lan0.addresses"),
            (#""addresses": ["10.0.0.5/24", "10.0.0.5/16"]"#, "lan0"),
            (#""addresses": ["10.0.0.5/24"], "gateways": ["10.0.1.1"]"#, "nics.lan0.gateways"),
            (#""addresses": ["10.0.0.5/24"], "gateways": ["10.0.0.5"]"#, "nics.lan0.gateways"),
            (#""addresses": ["10.0.0.5/24"], "gateways": ["10.0.0.255"]"#, "nics.lan0.gateways"),
            (#""addresses": ["10.0.0.5/24"], "gateways": ["10.0.0.1", "10.0.0.2"]"#, "nics.lan0.gateways"),
            (#""dhcp4": true, "addresses": ["10.0.0.5/24"], "gateways": ["10.0.0.1"]"#, "nics.lan0.gateways"),
            (
                #""addresses": ["10.0.0.5/24"], "routes": [{"to": "10.1.0.1/16", "via": "10.0.0.1"}]"#,
                "nics.lan0.routes"
            ),
            (#""addresses": ["10.0.0.5/24"], "routes": [{"to": "0.0.0.0/0", "via": "10.0.0.1"}]"#, "nics.lan0.routes"),
            (
                #""addresses": ["10.0.0.5/24"], "routes": [{"to": "10.1.0.0/16", "via": "10.2.0.1"}]"#,
                "nics.lan0.routes"
            ),
            (#""addresses": ["10.0.0.5/24"], "routes": [{"to": "10.1.0.0/16", "via": "fd00::1"}]"#, "nics.lan0.routes"),
            (#""dhcp4": true, "mtu": 500"#, "nics.lan0.mtu"), (#""automatic6": true, "mtu": 1000"#, "nics.lan0.mtu"),
            (#""dhcp4": true, "mtu": 70000"#, "nics.lan0.mtu"),
            (#""addresses": ["10.0.0.5/24"], "gateways": ["10.0.0.1"]"#, nil),
            (#""addresses": ["10.0.0.4/31"], "gateways": ["10.0.0.5"]"#, nil), (#""addresses": ["10.0.0.5/32"]"#, nil),
            (#""addresses": ["fd00::5/64"], "gateways": ["fe80::1"]"#, nil),
            (#""dhcp4": true, "routes": [{"to": "10.1.0.0/16", "via": "10.2.0.1", "metric": 50}], "mtu": 9000"#, nil),
        ] as [(String, String?)])
    func addresses(words: String, path: String?) throws {
        let network = try Self.network(#"{"nics": {"lan0": {"port": "52:54:00:00:00:01", \#(words)}}}"#)
        #expect(fault(of: network)?.path == path)
    }

    @Test("two ways out of one family, and services that are nobody's")
    func services() throws {
        func network(_ tail: String) throws -> MachineNetwork {
            try Self.network(
                #"{"nics": {"lan0": {"port": "52:54:00:00:00:01", "addresses": ["10.0.0.5/24"], "gateways": ["10.0.0.1"]}"#
                    + tail
                    + "}")
        }
        let second =
            #", "lan1": {"port": "52:54:00:00:00:02", "addresses": ["10.1.0.5/24"], "gateways": ["10.1.0.1"]}}"#
        #expect(try path(network(second)) == "lan1")
        #expect(try path(network(#"}, "dns": {"servers": ["127.0.0.53"]}"#)) == "dns.servers")
        #expect(try path(network(#"}, "dns": {"search": ["exa mple"]}"#)) == "dns.search")
        #expect(try path(network(#"}, "ntp": ["a\nserver b"]"#)) == "ntp")
        #expect(try path(network(#"}, "ntp": ["10.0.0.1", "time.example.org"]"#)) == nil)
    }

    @Test("the one static address of older daemons is read as it was")
    func old() throws {
        let json = """
            {"mac": "52:54:00:00:00:01", "address": "10.0.0.5", "prefixLength": 24, "gateway": "10.0.0.1", "nameServers": ["10.0.0.2"]}
            """
        let own = try #require(IPPrefix("10.0.0.5/24"))
        #expect(
            try Self.network(json)
                == .single(
                    mac: Self.known[0].mac, own, gateway: IPAddress("10.0.0.1"),
                    nameServers: [try #require(IPAddress("10.0.0.2"))]))
    }

    private func path(_ network: MachineNetwork) -> String? { fault(of: network)?.path }

    private func fault(of network: MachineNetwork) -> NetworkFault? {
        do {
            _ = try network.resolved(among: Self.known)
            return nil
        } catch {
            return error
        }
    }
}
