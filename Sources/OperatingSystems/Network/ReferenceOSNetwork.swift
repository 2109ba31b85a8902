import Machines
import NetworkAddresses

/// A network in the reference OS' settings (docs/reference-os.md): one port, or one VLAN on it, with DHCP or one IPv4 address.
enum ReferenceOSNetwork {
    /// - Throws: ``ConfigurationError`` for a network that is more than that.
    static func settings(_ network: SystemNetwork?) throws(ConfigurationError) -> [(String, String)] {
        guard let network else { return [("NETWORK", "dhcp")] }
        func refused(_ path: String, _ what: String) -> ConfigurationError {
            ConfigurationError(
                field: "network.\(path)",
                reason: "the reference OS uses one port, or one VLAN on it, and knows no \(what)")
        }
        guard network.bonds.isEmpty else { throw refused("bonds", "bonds") }
        guard network.ntp.isEmpty, network.dns.search.isEmpty else {
            throw refused("dns", "search domains or time servers")
        }
        let used = network.addressings.filter { !$0.addressing.isEmpty }
        guard let (name, addressing) = used.first, used.count == 1 else {
            throw refused(used[1].name, "second interface")
        }
        let vlan = network.vlans.first { $0.name == name }
        guard let port = network.freePorts.first(where: { $0.name == vlan?.settings.on ?? name }) else {
            throw refused(name, "interface but a port")
        }
        guard !addressing.automatic6, addressing.routes.isEmpty, addressing.addresses(isIPv6: true).isEmpty else {
            throw refused(name, "IPv6 or routes")
        }
        var settings = [("MAC", port.mac.description)]
        if let vlan { settings.append(("VLAN", "\(vlan.settings.id)")) }
        if let mtu = vlan?.settings.mtu ?? port.mtu { settings.append(("MTU", "\(mtu)")) }
        guard let own = addressing.addresses.first else { return [("NETWORK", "dhcp")] + settings }
        guard addressing.addresses.count == 1, !addressing.dhcp4 else { throw refused(name, "second address") }
        return [("NETWORK", "static")] + settings + [
            ("ADDRESS", own.description), ("GATEWAY", addressing.gateway(isIPv6: false)?.description ?? ""),
            ("DNS", network.dns.servers.map(\.description).joined(separator: ",")),
        ]
    }
}
