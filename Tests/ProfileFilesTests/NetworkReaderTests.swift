import Foundation
import Machines
import NetworkAddresses
import ProfileFiles
import Testing

@Suite struct NetworkReaderTests {
    @Test("the example of docs/networks.md is the same as its JSON, and fits a machine with these ports")
    func example() throws {
        let page = try String(
            contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appendingPathComponent("docs/networks.md"), encoding: .utf8)
        let text = try #require(page.components(separatedBy: "```yaml\n").last?.components(separatedBy: "```").first)
        let network = try NetworkReader.read(text, file: "n.yaml")
        let json = """
            {"nics": {"lan0": {"port": "b8:ca:3a:00:00:01"}, "lan1": {"port": "0000:3b:00.1"},
                      "admin": {"port": "Integrated NIC 1", "dhcp4": true}},
             "bonds": {"bond0": {"ports": ["lan0", "lan1"], "mode": "802.3ad", "lacpRate": "fast", "hash": "layer3+4", "mtu": 9000}},
             "vlans": {"storage": {"id": 42, "on": "bond0", "mtu": 9000, "addresses": ["10.20.42.31/24", "fd00:42::31/64"],
              "gateways": ["fd00:42::1"], "routes": [{"to": "10.30.0.0/16", "via": "10.20.42.1", "metric": 50}]}},
             "dns": {"servers": ["10.20.0.2"], "search": ["example.org"]}, "ntp": ["time.example.org"]}
            """
        #expect(try JSONDecoder().decode(MachineNetwork.self, from: Data(json.utf8)) == network)
        let ports = [
            KnownPort(mac: MACAddress(rawValue: 0xb8ca_3a00_0001)),
            KnownPort(mac: MACAddress(rawValue: 0xb8ca_3a00_0002), pciAddress: "0000:3b:00.1"),
            KnownPort(mac: MACAddress(rawValue: 0xb8ca_3a00_0003), slot: "Integrated NIC 1"),
        ]
        #expect(try network.resolved(among: ports).bonds.count == 1)
    }

    @Test(
        "a fault is told with its place",
        arguments: [
            (
                "nics: {lan0: {prot: x}}",
                "n.yaml:1:14: lan0: port is missing: a MAC address, a PCI address or a slot's label"
            ),
            ("nics:\n  lan0: {port: x, dhcp: true}", "n.yaml:2:19: unknown key dhcp; did you mean dhcp4?"),
            ("nics: {lan0: {port: x, addresses: [10.0.0.1]}}", "is not an address with its prefix length"),
            ("nics: {lan0: {port: x}}\nbonds: {b: {ports: [lan0], mode: lacp}}", "mode: lacp is not one of balance-rr"),
            ("nics: {lan0: {port: x}}\nvlans: {v: {id: 1}}", "a VLAN has an id, and is on a port or bond"),
            ("nics: {lan0: {port: x, routes: [{to: 10.0.0.0/8}]}}", "a route goes to a network, via an address"),
            ("bonds: {}", "nics is missing"), ("nics: {}\nfoo: 1", "unknown key foo"),
            ("nics: {lan0: {port: x, dhcp4: perhaps}}", "expected true or false"),
        ])
    func faults(text: String, words: String) {
        let error = #expect(throws: ProfileFileError.self) { try NetworkReader.read(text, file: "n.yaml") }
        #expect("\(error as Any)".contains(words) || (error?.description ?? "").contains(words), "\(error as Any)")
    }
}
