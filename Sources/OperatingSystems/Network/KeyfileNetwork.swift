import Machines
import NetworkAddresses

/// A network as NetworkManager's keyfiles (nm-settings-keyfile(5)). NetworkManager believes those only that root alone can read.
enum KeyfileNetwork {
    struct File: Equatable {
        /// Without a directory.
        var name: String
        var content: String
    }

    static func render(_ network: SystemNetwork) -> [File] {
        let resolving =
            network.addressings.first { !$0.addressing.gateways.isEmpty }
            ?? network.addressings.first { !$0.addressing.isEmpty }
        func file(
            _ name: String, _ connection: [String], _ sections: [[String]], _ addressing: MachineNetwork.Addressing
        ) -> File {
            let ends = [false, true].map { ip(addressing, isIPv6: $0, name == resolving?.name ? network.dns : .init()) }
            let all = [["[connection]", "id=\(name)"] + connection] + sections + ends
            return File(
                name: "\(name).nmconnection",
                content: all.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n"))
        }
        let ports = network.ports.map { port in
            let mtu = port.mtu ?? network.bonds.first { $0.name == port.bond }?.settings.mtu
            let ethernet = ["[ethernet]", "mac-address=\(port.mac)"] + (mtu.map { ["mtu=\($0)"] } ?? [])
            guard let bond = port.bond else {
                return file(port.name, ["type=ethernet"], [ethernet], port.addressing)
            }
            let sections = [
                ["[connection]", "id=\(port.name)", "type=ethernet", "master=\(bond)", "slave-type=bond"], ethernet,
            ]
            return File(
                name: "\(port.name).nmconnection",
                content: sections.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n"))
        }
        let bonds = network.bonds.map { bond in
            let settings = bond.settings
            let options =
                ["[bond]", "mode=\(settings.mode.rawValue)", "miimon=\(settings.monitorMilliseconds)"]
                + (settings.lacpRate.map { ["lacp_rate=\($0.rawValue)"] } ?? [])
                + (settings.hash.map { ["xmit_hash_policy=\($0.rawValue)"] } ?? [])
            let ethernet = settings.mtu.map { [["[ethernet]", "mtu=\($0)"]] } ?? []
            return file(
                bond.name, ["type=bond", "interface-name=\(bond.name)"], [options] + ethernet, settings.addressing)
        }
        let vlans = network.vlans.map { vlan in
            // A port is named by its address: its name in the system is the system's.
            let port = network.freePorts.first { $0.name == vlan.settings.on }
            let ethernet =
                ["[ethernet]"] + (port.map { ["mac-address=\($0.mac)"] } ?? [])
                + (vlan.settings.mtu.map { ["mtu=\($0)"] } ?? [])
            let parent = port == nil ? ["parent=\(vlan.settings.on)"] : []
            return file(
                vlan.name, ["type=vlan", "interface-name=\(vlan.name)"],
                [["[vlan]", "flags=1", "id=\(vlan.settings.id)"] + parent] + (ethernet.count > 1 ? [ethernet] : []),
                vlan.settings.addressing)
        }
        return ports + bonds + vlans
    }

    private static func ip(
        _ addressing: MachineNetwork.Addressing, isIPv6: Bool, _ dns: MachineNetwork.NameService
    ) -> [String] {
        let own = addressing.addresses(isIPv6: isIPv6)
        let isAutomatic = isIPv6 ? addressing.automatic6 : addressing.dhcp4
        guard isAutomatic || !own.isEmpty else { return [isIPv6 ? "[ipv6]" : "[ipv4]", "method=disabled"] }
        var lines = [isIPv6 ? "[ipv6]" : "[ipv4]", "method=\(isAutomatic ? "auto" : "manual")"]
        for (index, address) in own.enumerated() { lines.append("address\(index + 1)=\(address)") }
        if let gateway = addressing.gateway(isIPv6: isIPv6) { lines.append("gateway=\(gateway)") }
        for (index, route) in addressing.routes.filter({ $0.via.isIPv6 == isIPv6 }).enumerated() {
            let metric = route.metric.map { ",\($0)" } ?? ""
            lines.append("route\(index + 1)=\(route.to),\(route.via)\(metric)")
        }
        let servers = dns.servers.filter { $0.isIPv6 == isIPv6 }
        if !servers.isEmpty { lines.append("dns=\(servers.map { "\($0);" }.joined())") }
        if !dns.search.isEmpty { lines.append("dns-search=\(dns.search.map { "\($0);" }.joined())") }
        return lines
    }
}
