import Foundation
import Machines
import NetworkAddresses

/// Networks that every dialect says, or refuses.
enum TrialNetworks {
    static let ports = (1...3).map { KnownPort(mac: MACAddress(rawValue: 0x0016_3e00_0000 | $0)) }

    static let texts = [
        "dhcp": #"{"nics": {"lan0": {"port": "00:16:3e:00:00:01", "dhcp4": true}}}"#,
        "static": """
        {"nics": {"lan0": {"port": "00:16:3e:00:00:01", "addresses": ["10.20.0.31/24"], "gateways": ["10.20.0.1"]}},
         "dns": {"servers": ["10.20.0.2", "10.20.0.3"]}}
        """,
        "vlan": """
        {"nics": {"lan0": {"port": "00:16:3e:00:00:01", "mtu": 9000}},
         "vlans": {"prod": {"id": 42, "on": "lan0", "mtu": 1400, "addresses": ["10.20.42.31/24"], "gateways": ["10.20.42.1"]}},
         "dns": {"servers": ["10.20.0.2"]}}
        """,
        "dual": """
        {"nics": {"lan0": {"port": "00:16:3e:00:00:01", "dhcp4": true, "automatic6": true},
                  "lan1": {"port": "00:16:3e:00:00:02", "addresses": ["fd00:7::5/64"], "mtu": 9000}}}
        """,
        "bond-vlan": """
        {"nics": {"lan0": {"port": "00:16:3e:00:00:01"}, "lan1": {"port": "00:16:3e:00:00:02"},
                  "admin": {"port": "00:16:3e:00:00:03", "dhcp4": true}},
         "bonds": {"bond0": {"ports": ["lan0", "lan1"], "mode": "802.3ad", "lacpRate": "fast", "hash": "layer3+4", "mtu": 9000}},
         "vlans": {"storage": {"id": 42, "on": "bond0", "mtu": 9000, "addresses": ["10.20.42.31/24", "fd00:42::31/64"],
                               "gateways": ["fd00:42::1"], "routes": [{"to": "10.30.0.0/16", "via": "10.20.42.1", "metric": 50}]}},
         "dns": {"servers": ["10.20.0.2", "fd00:42::2"], "search": ["example.org", "lab.example.org"]},
         "ntp": ["time.example.org", "10.20.0.4"]}
        """,
        "bond-vlan-static4": """
        {"nics": {"lan0": {"port": "00:16:3e:00:00:01"}, "lan1": {"port": "00:16:3e:00:00:02"}},
         "bonds": {"bond0": {"ports": ["lan0", "lan1"], "mode": "802.3ad"}},
         "vlans": {"prod": {"id": 42, "on": "bond0", "addresses": ["10.20.42.31/24"], "gateways": ["10.20.42.1"]}},
         "dns": {"servers": ["10.20.0.2"]}}
        """,
    ]

    static let names = texts.keys.sorted()

    static func network(_ name: String) throws -> SystemNetwork {
        try JSONDecoder().decode(MachineNetwork.self, from: Data((texts[name] ?? "").utf8)).resolved(among: ports)
    }
}
