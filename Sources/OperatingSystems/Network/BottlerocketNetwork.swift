import ConfigDocuments
import Machines
import NetworkAddresses

/// A network as Bottlerocket's `net.toml`, version 3. Which of its words exist: `bottlerocket-os/bottlerocket-core-kit: sources/netdog`.
enum BottlerocketNetwork {
    /// - Throws: ``ConfigurationError`` for what netdog cannot do.
    static func netTOML(_ network: SystemNetwork?, bootMAC: MACAddress?) throws(ConfigurationError) -> String {
        var interfaces: [(String, ConfigValue)] = [("version", 3)]
        guard let network else {
            guard let bootMAC else {
                throw ConfigurationError(
                    field: "network",
                    reason: "Bottlerocket needs to be told its ports, and none of this machine is known")
            }
            interfaces.append((bootMAC.description, ["dhcp4": true, "primary": true]))
            return try toml(.mapping(ConfigMapping(interfaces)))
        }
        for bond in network.bonds where bond.settings.mode != .activeBackup {
            throw ConfigurationError(
                field: "network.bonds.\(bond.name)",
                reason: "Bottlerocket's bonds are active-backup only, and this is \(bond.settings.mode.rawValue)")
        }
        // In bonds and below VLANs it takes names, and its names are the kernel's, which nobody knows beforehand.
        guard network.bonds.isEmpty, network.vlans.isEmpty else {
            throw ConfigurationError(
                field: "network",
                reason:
                    "Bottlerocket names the ports of bonds and VLANs by the kernel's names only, which are not known beforehand"
            )
        }
        if let port = network.ports.first(where: { $0.mtu != nil }) {
            throw ConfigurationError(field: "network.nics.\(port.name).mtu", reason: "net.toml has no word for it")
        }
        let primary =
            network.ports.first { !$0.addressing.gateways.isEmpty } ?? network.ports.first { !$0.addressing.isEmpty }
        for port in network.ports where !port.addressing.isEmpty {
            let addressing = port.addressing
            func fixed(_ isIPv6: Bool) -> ConfigValue? {
                let own = addressing.addresses(isIPv6: isIPv6)
                return own.isEmpty ? nil : ["addresses": .texts(own.map(\.description))]
            }
            let routes =
                addressing.gateways.map { gateway -> ConfigValue in
                    ["to": "default", "via": .text(gateway.description)]
                }
                + addressing.routes.map { route -> ConfigValue in
                    .present([
                        ("to", .text(route.to.description)), ("via", .text(route.via.description)),
                        ("route-metric", route.metric.map { .integer($0) }),
                    ])
                }
            interfaces.append(
                (
                    port.mac.description,
                    .present([
                        ("primary", port == primary ? true : nil), ("dhcp4", addressing.dhcp4 ? true : nil),
                        ("dhcp6", addressing.automatic6 ? true : nil), ("static4", fixed(false)),
                        ("static6", fixed(true)),
                        ("route", routes.isEmpty ? nil : .list(routes)),
                    ])
                ))
        }
        return try toml(.mapping(ConfigMapping(interfaces)))
    }

    private static func toml(_ value: ConfigValue) throws(ConfigurationError) -> String {
        do {
            return try value.toml()
        } catch {
            throw ConfigurationError(field: "network", reason: error.reason)
        }
    }
}
