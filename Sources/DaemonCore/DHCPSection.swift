import NetworkAddresses
import NetworkBoot
import ProfileFiles

/// Reads `dhcp:` of the configuration, a list of subnets.
enum DHCPSection {
    /// - Parameter server: the daemon's address, which machines of every subnet must reach: TFTP, boot HTTP and API listen there.
    static func subnets(_ top: inout YAMLReader, server: IPv4Address) throws -> [Subnet] {
        guard let readers = try top.mappings("dhcp") else { return [] }
        let subnets = try readers.map { try subnet($0, server: server) }
        if let fault = Subnet.faults(of: subnets).first { throw top.fault(key: "dhcp", "dhcp: \(fault)") }
        return subnets
    }

    private static func subnet(_ reader: YAMLReader, server: IPv4Address) throws -> Subnet {
        var reader = reader
        guard let mode = try reader.word("mode", Subnet.Mode.self) else {
            throw reader.fault(
                nil,
                "dhcp: mode is missing: proxy beside another DHCP server; pool, reservation or auto without one; off")
        }
        let subnet = Subnet(
            mode: mode, interface: try reader.string("interface"),
            network: try reader.parsed("subnet", "a subnet such as 10.20.0.0/24, without host bits") {
                IPv4Network($0)
            },
            server: server, pools: try reader.list("pools", pool) ?? [],
            reservations: try reader.mappings("reservations")?.map(reservation) ?? [],
            router: try reader.address("router"),
            nameServers: try reader.list("name_servers") { text in
                guard let server = IPv4Address(text) else { throw ValueFault("\(text) is not an IPv4 address") }
                return server
            } ?? [], domainName: try reader.string("domain_name"), mtu: try reader.integer("mtu", in: 576...9216),
            leaseSeconds: UInt32(try reader.integer("lease_seconds", in: 60...604_800) ?? 3600),
            bootLeaseSeconds: UInt32(try reader.integer("boot_lease_seconds", in: 60...604_800) ?? 600))
        try reader.finish()
        return subnet
    }

    /// `10.20.0.100-10.20.0.199`.
    private static func pool(_ text: String) throws -> ClosedRange<IPv4Address> {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { part in
            IPv4Address(String(part.drop { $0 == " " }.prefix { $0 != " " }))
        }
        guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else {
            throw ValueFault("\(text) is not a range such as 10.20.0.100-10.20.0.199")
        }
        return first...last
    }

    private static func reservation(_ reader: YAMLReader) throws -> Subnet.Reservation {
        var reader = reader
        guard let address = try reader.address("address") else {
            throw reader.fault(nil, "reservations: address is missing")
        }
        let mac = try reader.parsed("mac", "a MAC address such as 52:54:00:12:34:56") { MACAddress($0) }
        let clientID = try reader.parsed("client_id", "hex digits, two for each byte of option 61", bytes)
        let name = try reader.string("host_name")
        try reader.finish()
        switch (mac, clientID) {
        case (let mac?, nil): return .init(key: .mac(mac), address: address, hostName: name)
        case (nil, let clientID?): return .init(key: .clientID(clientID), address: address, hostName: name)
        default: throw reader.fault(nil, "reservations: \(address) is for a mac or a client_id, one of both")
        }
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.filter { $0 != ":" && $0 != "-" }
        guard !digits.isEmpty, digits.count % 2 == 0 else { return nil }
        var rest = digits[...]
        var bytes: [UInt8] = []
        while !rest.isEmpty {
            guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}

extension YAMLReader {
    /// An IPv4 address, nil when the key is absent.
    mutating func address(_ key: String) throws -> IPv4Address? {
        try parsed(key, "an IPv4 address such as 10.77.0.1") { IPv4Address($0) }
    }
}
