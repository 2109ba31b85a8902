import NetworkAddresses

extension SystemNetwork {
    /// Contradictions among addresses, routes and services.
    func check() throws(NetworkFault) {
        for port in ports { try Self.check(mtu: port.mtu, port.addressing, "nics.\(port.name)") }
        for bond in bonds { try Self.check(mtu: bond.settings.mtu, bond.settings.addressing, "bonds.\(bond.name)") }
        for vlan in vlans { try Self.check(mtu: vlan.settings.mtu, vlan.settings.addressing, "vlans.\(vlan.name)") }
        guard addressings.contains(where: { !$0.addressing.isEmpty }) else {
            throw NetworkFault("nics", "no interface has an address, or asks for one")
        }
        var seen: Set<IPAddress> = []
        for (name, addressing) in addressings {
            for own in addressing.addresses where !seen.insert(own.address).inserted {
                throw NetworkFault(name, "\(own.address) is here twice")
            }
        }
        for isIPv6 in [false, true] {
            let ways = addressings.filter { $0.addressing.gateway(isIPv6: isIPv6) != nil }.map(\.name)
            guard ways.count <= 1 else {
                throw NetworkFault(
                    ways[1], "\(ways[0]) has the \(isIPv6 ? "IPv6" : "IPv4") gateway already: use routes for the others"
                )
            }
        }
        for server in dns.servers where !server.isOrdinary {
            throw NetworkFault("dns.servers", "\(server) is no host's")
        }
        for domain in dns.search where !HostName.isDomain(domain) {
            throw NetworkFault("dns.search", "\(domain.debugDescription) is not a domain name")
        }
        for server in ntp where IPAddress(server) == nil && !HostName.isDomain(server) {
            throw NetworkFault("ntp", "\(server.debugDescription) is neither a name nor an address")
        }
        guard dns.servers.count <= 8, dns.search.count <= 32, ntp.count <= 16 else {
            throw NetworkFault("dns", "more than 8 name servers, 32 domains or 16 time servers")
        }
    }

    private static func check(mtu: Int?, _ addressing: MachineNetwork.Addressing, _ path: String) throws(NetworkFault) {
        let hasIPv6 = addressing.automatic6 || addressing.addresses.contains { $0.address.isIPv6 }
        // RFC 8200 §5; RFC 791 §3.1 for IPv4.
        let least = hasIPv6 ? 1280 : 576
        if let mtu, !(least...65_535).contains(mtu) { throw NetworkFault("\(path).mtu", "\(least) to 65535 bytes") }
        guard addressing.addresses.count <= 32, addressing.routes.count <= 64 else {
            throw NetworkFault(path, "more than 32 addresses or 64 routes")
        }
        for own in addressing.addresses where !own.isHost(own.address) || !own.address.isOrdinary || own.length == 0 {
            throw NetworkFault("\(path).addresses", "\(own) is not the address of a host in its network")
        }
        for isIPv6 in [false, true] {
            let gateways = addressing.gateways.filter { $0.isIPv6 == isIPv6 }
            guard gateways.count <= 1 else { throw NetworkFault("\(path).gateways", "one of each family") }
            guard let gateway = gateways.first else { continue }
            guard !(isIPv6 ? addressing.automatic6 : addressing.dhcp4) else {
                throw NetworkFault("\(path).gateways", "\(gateway): the network tells the gateway with the address")
            }
            try check(neighbour: gateway, addressing, "\(path).gateways")
        }
        for route in addressing.routes {
            guard route.to.isNetwork else { throw NetworkFault("\(path).routes", "\(route.to) has host bits") }
            guard route.to.length > 0 else {
                throw NetworkFault("\(path).routes", "\(route.to) is what gateways are for")
            }
            guard route.to.address.isIPv6 == route.via.isIPv6 else {
                throw NetworkFault("\(path).routes", "\(route.to) does not go by way of \(route.via)")
            }
            if let metric = route.metric, !(0...0xffff_ffff).contains(metric) {
                throw NetworkFault("\(path).routes", "a metric is 0 to 4294967295")
            }
            if !(route.via.isIPv6 ? addressing.automatic6 : addressing.dhcp4) {
                try check(neighbour: route.via, addressing, "\(path).routes")
            }
        }
    }

    /// Who is to forward packets is in a network of this interface.
    private static func check(
        neighbour: IPAddress, _ addressing: MachineNetwork.Addressing, _ path: String
    ) throws(NetworkFault) {
        guard !addressing.addresses.contains(where: { $0.address == neighbour }) else {
            throw NetworkFault(path, "\(neighbour) is the machine itself")
        }
        if case .v6(let address) = neighbour, address.isLinkLocal { return }
        guard addressing.addresses.contains(where: { $0.isHost(neighbour) }) else {
            let networks = addressing.addresses.map(\.description).joined(separator: ", ")
            throw NetworkFault(
                path, "\(neighbour) is not a host in \(networks.isEmpty ? "any network here" : networks)")
        }
    }
}

extension IPAddress {
    /// One host's: neither nobody's, nor this host's own, nor a group's (RFC 6890).
    var isOrdinary: Bool {
        switch self {
        case .v4(let address): ![0, 127].contains(address.bytes[0]) && address.bytes[0] < 224
        case .v6(let address): !address.isMulticast && !(address.high == 0 && address.low <= 1)
        }
    }
}
