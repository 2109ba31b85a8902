import NetworkAddresses
import NetworkBoot
import ProfileFiles

/// Reads `dhcpv6:` of the configuration, a list of networks.
enum DHCPv6Section {
    static func networks(_ top: inout YAMLReader) throws -> [DHCPv6Network] {
        guard let readers = try top.mappings("dhcpv6") else { return [] }
        let networks = try readers.map(network)
        if let fault = DHCPv6Network.faults(of: networks).first { throw top.fault(key: "dhcpv6", "dhcpv6: \(fault)") }
        return networks
    }

    private static func network(_ reader: YAMLReader) throws -> DHCPv6Network {
        var reader = reader
        guard let mode = try reader.word("mode", DHCPv6Network.Mode.self) else {
            throw reader.fault(nil, "dhcpv6: mode is missing: address, or stateless where machines make their own")
        }
        let prefix = try reader.parsed("prefix", "64 bits such as fd00:77::/64") { text -> UInt64? in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 2, parts[1] == "64", let address = IPv6Address(String(parts[0])), address.low == 0
            else { return nil }
            return address.high
        }
        guard let prefix else { throw reader.fault(nil, "dhcpv6: prefix is missing, such as fd00:77::/64") }
        guard let server = try reader.parsed("server", "an IPv6 address", { IPv6Address($0) }) else {
            throw reader.fault(nil, "dhcpv6: server is missing: an address of this host that the machines reach")
        }
        let network = DHCPv6Network(
            mode: mode, interface: try reader.string("interface"), prefix: prefix, server: server,
            nameServers: try reader.list("name_servers") { text in
                guard let server = IPv6Address(text) else { throw ValueFault("\(text) is not an IPv6 address") }
                return server
            } ?? [], domainName: try reader.string("domain_name"),
            leaseSeconds: UInt32(try reader.integer("lease_seconds", in: 60...604_800) ?? 3600))
        try reader.finish()
        return network
    }
}
