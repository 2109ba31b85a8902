import Machines
import NetworkAddresses

/// A network as files of `/etc/systemd/network` (systemd.link(5), systemd.netdev(5), systemd.network(5)).
enum SystemdNetwork {
    struct File: Equatable {
        /// Without a directory.
        var name: String
        var content: String
    }

    static func render(_ network: SystemNetwork) -> [File] {
        var files: [File] = []
        // Name servers are the host's, and have to stand with one of its links.
        let resolving =
            network.addressings.first { !$0.addressing.gateways.isEmpty }
            ?? network.addressings.first { !$0.addressing.isEmpty }
        func file(_ name: String, _ sections: [[String]]) {
            files.append(
                .init(name: name, content: sections.map { $0.joined(separator: "\n") + "\n" }.joined(separator: "\n")))
        }
        func networkSections(_ name: String, _ addressing: MachineNetwork.Addressing, _ more: [String]) -> [[String]] {
            sections(
                addressing, more + network.vlans(on: name).map { "VLAN=\($0.name)" },
                name == resolving?.name ? network : nil)
        }
        for port in network.ports {
            let mtu =
                (port.mtu ?? network.bonds.first { $0.name == port.bond }?.settings.mtu).map { ["MTUBytes=\($0)"] }
                ?? []
            // A bond gives all its ports one address: what is burnt in tells them apart for ever.
            let match = ["[Match]", "PermanentMACAddress=\(port.mac)"]
            file("10-\(port.name).link", [match, ["[Link]", "Name=\(port.name)"] + mtu])
            file(
                "20-\(port.name).network",
                [match] + (mtu.isEmpty ? [] : [["[Link]"] + mtu])
                    + networkSections(port.name, port.addressing, port.bond.map { ["Bond=\($0)"] } ?? []))
        }
        for bond in network.bonds {
            let settings = bond.settings
            file(
                "10-\(bond.name).netdev",
                [
                    ["[NetDev]", "Name=\(bond.name)", "Kind=bond"] + (settings.mtu.map { ["MTUBytes=\($0)"] } ?? []),
                    ["[Bond]", "Mode=\(settings.mode.rawValue)", "MIIMonitorSec=\(settings.monitorMilliseconds)ms"]
                        + (settings.lacpRate.map { ["LACPTransmitRate=\($0.rawValue)"] } ?? [])
                        + (settings.hash.map { ["TransmitHashPolicy=\($0.rawValue)"] } ?? []),
                ])
            file(
                "20-\(bond.name).network",
                [["[Match]", "Name=\(bond.name)"]] + networkSections(bond.name, settings.addressing, []))
        }
        for vlan in network.vlans {
            let settings = vlan.settings
            file(
                "10-\(vlan.name).netdev",
                [
                    ["[NetDev]", "Name=\(vlan.name)", "Kind=vlan"] + (settings.mtu.map { ["MTUBytes=\($0)"] } ?? []),
                    ["[VLAN]", "Id=\(settings.id)"],
                ])
            file(
                "20-\(vlan.name).network",
                [["[Match]", "Name=\(vlan.name)"]] + networkSections(vlan.name, settings.addressing, []))
        }
        return files
    }

    /// - Parameter services: the network whose name and time servers stand with this link.
    private static func sections(
        _ addressing: MachineNetwork.Addressing, _ more: [String], _ services: SystemNetwork?
    ) -> [[String]] {
        var lines = [
            "[Network]", "DHCP=\(addressing.dhcp4 ? "ipv4" : "no")",
            "IPv6AcceptRA=\(addressing.automatic6 ? "yes" : "no")",
        ]
        if addressing.isEmpty { lines.append("LinkLocalAddressing=no") }
        lines += addressing.addresses.map { "Address=\($0)" } + addressing.gateways.map { "Gateway=\($0)" }
        if let services {
            lines += services.dns.servers.map { "DNS=\($0)" }
            if !services.dns.search.isEmpty { lines.append("Domains=\(services.dns.search.joined(separator: " "))") }
            lines += services.ntp.map { "NTP=\($0)" }
        }
        let routes = addressing.routes.map { route in
            ["[Route]", "Destination=\(route.to)", "Gateway=\(route.via)"]
                + (route.metric.map { ["Metric=\($0)"] } ?? [])
        }
        return [lines + more] + routes
    }
}
