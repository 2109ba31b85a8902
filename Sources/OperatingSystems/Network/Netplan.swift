import ConfigDocuments
import Machines
import NetworkAddresses

/// A network as netplan's version 2 has it, which cloud-init takes as `network-config` too.
/// https://netplan.readthedocs.io/en/stable/netplan-yaml/
enum Netplan {
    static func render(_ network: SystemNetwork) -> ConfigValue {
        // Name servers belong to an interface there.
        let resolving =
            network.addressings.first { !$0.addressing.gateways.isEmpty }
            ?? network.addressings.first { !$0.addressing.isEmpty }
        func interface(
            _ name: String, _ head: [(String, ConfigValue?)], _ addressing: MachineNetwork.Addressing, mtu: Int?
        )
            -> (String, ConfigValue)
        {
            let dns = name == resolving?.name ? nameServers(network.dns) : nil
            return (name, .present(head + words(addressing, mtu: mtu) + [("nameservers", dns)]))
        }
        let ethernets = network.ports.map { port in
            interface(
                port.name,
                [("match", ["macaddress": .text(port.mac.description)]), ("set-name", .text(port.name))],
                port.addressing, mtu: port.mtu ?? bondMTU(of: port, network))
        }
        let bonds = network.bonds.map { bond in
            interface(
                bond.name,
                [("interfaces", .texts(bond.ports.map(\.name))), ("parameters", parameters(bond.settings))],
                bond.settings.addressing, mtu: bond.settings.mtu)
        }
        let vlans = network.vlans.map { vlan in
            interface(
                vlan.name, [("id", .integer(vlan.settings.id)), ("link", .text(vlan.settings.on))],
                vlan.settings.addressing, mtu: vlan.settings.mtu)
        }
        return .present([
            ("version", 2), ("ethernets", .mapping(ConfigMapping(ethernets))),
            ("bonds", bonds.isEmpty ? nil : .mapping(ConfigMapping(bonds))),
            ("vlans", vlans.isEmpty ? nil : .mapping(ConfigMapping(vlans))),
        ])
    }

    private static func words(_ addressing: MachineNetwork.Addressing, mtu: Int?) -> [(String, ConfigValue?)] {
        let gateways = addressing.gateways.map { gateway -> ConfigValue in
            // `default` is not understood by every cloud-init.
            ["to": .text(gateway.isIPv6 ? "::/0" : "0.0.0.0/0"), "via": .text(gateway.description)]
        }
        let routes = addressing.routes.map { route -> ConfigValue in
            .present([
                ("to", .text(route.to.description)), ("via", .text(route.via.description)),
                ("metric", route.metric.map { .integer($0) }),
            ])
        }
        return [
            ("dhcp4", .boolean(addressing.dhcp4)), ("dhcp6", false), ("accept-ra", .boolean(addressing.automatic6)),
            ("addresses", addressing.addresses.isEmpty ? nil : .texts(addressing.addresses.map(\.description))),
            ("routes", gateways.isEmpty && routes.isEmpty ? nil : .list(gateways + routes)),
            ("mtu", mtu.map { .integer($0) }),
        ]
    }

    /// Ports carry no less than their bond.
    private static func bondMTU(of port: SystemNetwork.Port, _ network: SystemNetwork) -> Int? {
        network.bonds.first { $0.name == port.bond }?.settings.mtu
    }

    private static func parameters(_ bond: MachineNetwork.Bond) -> ConfigValue {
        .present([
            ("mode", .text(bond.mode.rawValue)), ("mii-monitor-interval", .integer(bond.monitorMilliseconds)),
            ("lacp-rate", bond.lacpRate.map { .text($0.rawValue) }),
            ("transmit-hash-policy", bond.hash.map { .text($0.rawValue) }),
        ])
    }

    private static func nameServers(_ dns: MachineNetwork.NameService) -> ConfigValue? {
        guard dns != .init() else { return nil }
        return .present([
            ("addresses", dns.servers.isEmpty ? nil : .texts(dns.servers.map(\.description))),
            ("search", dns.search.isEmpty ? nil : .texts(dns.search)),
        ])
    }
}
