import DHCP
import NetworkAddresses

/// Finds the subnet that a packet is of. Pure.
struct SubnetTable: Sendable {
    let subnets: [Subnet]

    /// The index of the subnet: by the relay's word (link selection of RFC 3527, else `giaddr`), by the address that a client
    /// renews, or by the interface. Nil: none of ours.
    func index(of message: Message, interface: String?) -> Int? {
        if message.giaddr != .unspecified {
            let link = message.relayInformation?.linkSelection ?? message.giaddr
            return subnets.firstIndex { $0.network?.contains(link) ?? false }
        }
        let own = subnets.firstIndex { $0.interface == interface }
        guard message.ciaddr != .unspecified, let own else { return own ?? byAddress(message.ciaddr) }
        // A client behind a relay renews by unicast, through routers, to an interface of another subnet.
        if subnets[own].network?.contains(message.ciaddr) ?? true { return own }
        return byAddress(message.ciaddr) ?? own
    }

    private func byAddress(_ address: IPv4Address) -> Int? {
        guard address != .unspecified else { return nil }
        return subnets.firstIndex { $0.network?.contains(address) ?? false }
    }

    /// Where to listen: every interface that is named; all of them together where subnets are reached through relays only.
    var interfaces: [String?] {
        let named = Set(subnets.compactMap(\.interface)).sorted()
        return named.isEmpty ? [nil] : named
    }
}
