import NetworkAddresses

extension MachineNetwork {
    /// Every fixed address, in a fixed order.
    public var addresses: [IPAddress] {
        interfaces.flatMap { $0.addressing.addresses.map(\.address) }
    }

    /// A line for people: `bond0 (802.3ad: lan0, lan1) 10.20.0.31/24; storage (VLAN 42 on bond0) DHCP`.
    public var summary: String {
        interfaces.compactMap { interface in
            let ways =
                (interface.addressing.dhcp4 ? ["DHCP"] : [])
                + (interface.addressing.automatic6 ? ["IPv6 by its routers"] : [])
                + interface.addressing.addresses.map(\.description)
            return ways.isEmpty ? nil : "\(interface.name) (\(interface.what)) \(ways.joined(separator: ", "))"
        }.joined(separator: "; ")
    }

    private var interfaces: [(name: String, what: String, addressing: Addressing)] {
        nics.sorted { $0.key < $1.key }.map { ($0.key, $0.value.port.description, $0.value.addressing) }
            + bonds.sorted { $0.key < $1.key }.map {
                ($0.key, "\($0.value.mode.rawValue): \($0.value.ports.joined(separator: ", "))", $0.value.addressing)
            }
            + vlans.sorted { $0.key < $1.key }.map {
                ($0.key, "VLAN \($0.value.id) on \($0.value.on)", $0.value.addressing)
            }
    }
}
