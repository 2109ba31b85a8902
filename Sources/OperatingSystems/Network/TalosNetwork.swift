import ConfigDocuments
import Machines
import NetworkAddresses

/// A network as Talos has it: below `machine.network` of the classic document, or, since 1.12, in documents of their own.
/// `siderolabs/talos: pkg/machinery/config/types/network`
enum TalosNetwork {
    /// `machine.network` without the host name.
    static func classic(_ network: SystemNetwork) -> ConfigValue {
        func selector(_ port: SystemNetwork.Port) -> ConfigValue { ["permanentAddr": .text(port.mac.description)] }
        func interface(
            _ head: [(String, ConfigValue)], _ name: String, _ addressing: MachineNetwork.Addressing, _ mtu: Int?
        ) -> ConfigValue {
            let vlans = network.vlans(on: name).map { vlan -> ConfigValue in
                .present(
                    [("vlanId", .integer(vlan.settings.id))]
                        + words(vlan.settings.addressing, vlan.settings.mtu))
            }
            return .present(
                head.map { ($0.0, $0.1) } + words(addressing, mtu)
                    + [("vlans", vlans.isEmpty ? nil : .list(vlans))])
        }
        let ports = network.freePorts.map {
            interface([("deviceSelector", selector($0))], $0.name, $0.addressing, $0.mtu)
        }
        let bonds = network.bonds.map { bond in
            let parameters: ConfigValue = .present([
                ("deviceSelectors", .list(bond.ports.map(selector))), ("mode", .text(bond.settings.mode.rawValue)),
                ("miimon", .integer(bond.settings.monitorMilliseconds)),
                ("lacpRate", bond.settings.lacpRate.map { .text($0.rawValue) }),
                ("xmitHashPolicy", bond.settings.hash.map { .text($0.rawValue) }),
            ])
            return interface(
                [("interface", .text(bond.name)), ("bond", parameters)], bond.name, bond.settings.addressing,
                bond.settings.mtu)
        }
        return .present([
            ("interfaces", .list(ports + bonds)),
            ("nameservers", network.dns.servers.isEmpty ? nil : .texts(network.dns.servers.map(\.description))),
            ("searchDomains", network.dns.search.isEmpty ? nil : .texts(network.dns.search)),
        ])
    }

    private static func words(_ addressing: MachineNetwork.Addressing, _ mtu: Int?) -> [(String, ConfigValue?)] {
        let routes = gateways(addressing).map { to, via, metric -> ConfigValue in
            .present([
                ("network", .text(to)), ("gateway", .text(via)), ("metric", metric.map { .integer($0) }),
            ])
        }
        return [
            ("dhcp", addressing.dhcp4 ? true : nil),
            ("addresses", addressing.addresses.isEmpty ? nil : .texts(addressing.addresses.map(\.description))),
            ("routes", routes.isEmpty ? nil : .list(routes)), ("mtu", mtu.map { .integer($0) }),
        ]
    }

    /// One document for each thing.
    static func documents(_ network: SystemNetwork) -> [ConfigValue] {
        func link(
            _ kind: String, _ name: String, _ head: [(String, ConfigValue?)], _ addressing: MachineNetwork.Addressing,
            _ mtu: Int?
        ) -> [ConfigValue] {
            let routes = gateways(addressing).map { to, via, metric -> ConfigValue in
                .present([
                    // Without a destination it is the way to everywhere.
                    ("destination", to == "0.0.0.0/0" || to == "::/0" ? nil : .text(to)), ("gateway", .text(via)),
                    ("metric", metric.map { .integer($0) }),
                ])
            }
            let addresses = addressing.addresses.map { own -> ConfigValue in ["address": .text(own.description)] }
            let document = self.document(
                kind,
                [("name", .text(name))] + head + [
                    ("up", true), ("mtu", mtu.map { .integer($0) }),
                    ("addresses", addresses.isEmpty ? nil : .list(addresses)),
                    ("routes", routes.isEmpty ? nil : .list(routes)),
                ])
            return [document] + (addressing.dhcp4 ? [self.document("DHCPv4Config", [("name", .text(name))])] : [])
        }
        let aliases = network.ports.map { port in
            document(
                "LinkAliasConfig",
                [
                    ("name", .text(port.name)),
                    ("selector", ["match": .text("mac(link.permanent_addr) == \"\(port.mac)\"")]),
                ])
        }
        let ports = network.freePorts.flatMap { link("LinkConfig", $0.name, [], $0.addressing, $0.mtu) }
        let bonds = network.bonds.flatMap { bond in
            link(
                "BondConfig", bond.name,
                [
                    ("links", .texts(bond.ports.map(\.name))), ("bondMode", .text(bond.settings.mode.rawValue)),
                    ("miimon", .integer(bond.settings.monitorMilliseconds)),
                    ("xmitHashPolicy", bond.settings.hash.map { .text($0.rawValue) }),
                    ("lacpRate", bond.settings.lacpRate.map { .text($0.rawValue) }),
                ], bond.settings.addressing, bond.settings.mtu)
        }
        let vlans = network.vlans.flatMap { vlan in
            link(
                "VLANConfig", vlan.name,
                [("vlanID", .integer(vlan.settings.id)), ("parent", .text(vlan.settings.on))], vlan.settings.addressing,
                vlan.settings.mtu)
        }
        let servers = network.dns.servers.map { server -> ConfigValue in ["address": .text(server.description)] }
        let resolver =
            network.dns == .init()
            ? []
            : [
                document(
                    "ResolverConfig",
                    [
                        ("nameservers", servers.isEmpty ? nil : .list(servers)),
                        ("searchDomains", network.dns.search.isEmpty ? nil : ["domains": .texts(network.dns.search)]),
                    ])
            ]
        let time =
            network.ntp.isEmpty
            ? [] : [document("TimeSyncConfig", [("enabled", true), ("ntp", ["servers": .texts(network.ntp)])])]
        return aliases + ports + bonds + vlans + resolver + time
    }

    private static func document(_ kind: String, _ words: [(String, ConfigValue?)]) -> ConfigValue {
        .present([("apiVersion", "v1alpha1"), ("kind", .text(kind))] + words)
    }

    /// Where to, by way of whom, at what cost.
    private static func gateways(_ addressing: MachineNetwork.Addressing) -> [(String, String, Int?)] {
        addressing.gateways.map { ($0.isIPv6 ? "::/0" : "0.0.0.0/0", $0.description, nil) }
            + addressing.routes.map { ($0.to.description, $0.via.description, $0.metric) }
    }
}
