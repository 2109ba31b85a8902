import Machines
import NetworkAddresses

/// Reads a machine's network from YAML, strictly. See docs/networks.md.
public enum NetworkReader {
    /// A file that is one network.
    /// - Throws: ``ProfileFileError``.
    public static func read(_ text: String, file: String) throws -> MachineNetwork {
        var reader = try YAMLReader(file: file, text: text)
        return try network(&reader)
    }

    /// The keys of one network. Call it last: others are faults.
    static func network(_ reader: inout YAMLReader) throws -> MachineNetwork {
        guard let ports = try reader.namedMappings("nics") else { throw reader.fault(key: "nics", "nics is missing") }
        var network = MachineNetwork(nics: [:])
        for (name, port) in ports { network.nics[name] = try self.port(port, name) }
        for (name, bond) in try reader.namedMappings("bonds") ?? [] { network.bonds[name] = try self.bond(bond, name) }
        for (name, vlan) in try reader.namedMappings("vlans") ?? [] { network.vlans[name] = try self.vlan(vlan, name) }
        if var dns = try reader.mapping("dns") {
            network.dns.servers = try dns.list("servers", orOne: true, address) ?? []
            network.dns.search = try dns.list("search", orOne: true) { $0 } ?? []
            try dns.finish()
        }
        network.ntp = try reader.list("ntp", orOne: true) { $0 } ?? []
        try reader.finish()
        return network
    }

    private static func port(_ mapping: YAMLReader, _ name: String) throws -> MachineNetwork.Port {
        var reader = mapping
        let port = try reader.parsed("port", "a MAC address, a PCI address or a slot's label", PortReference.init(_:))
        guard let port else {
            throw reader.fault(key: "port", "\(name): port is missing: a MAC address, a PCI address or a slot's label")
        }
        let found = MachineNetwork.Port(port, try addressing(&reader), mtu: try reader.integer("mtu"))
        try reader.finish()
        return found
    }

    private static func bond(_ mapping: YAMLReader, _ name: String) throws -> MachineNetwork.Bond {
        var reader = mapping
        guard let ports = try reader.list("ports", { $0 }) else {
            throw reader.fault(key: "ports", "\(name): ports are missing")
        }
        guard let mode = try reader.word("mode", MachineNetwork.Bond.Mode.self) else {
            let modes = MachineNetwork.Bond.Mode.allCases.map(\.rawValue).joined(separator: ", ")
            throw reader.fault(key: "mode", "\(name): mode is missing: one of \(modes)")
        }
        var bond = MachineNetwork.Bond(ports, mode: mode)
        bond.monitorMilliseconds = try reader.integer("monitor_milliseconds") ?? bond.monitorMilliseconds
        bond.lacpRate = try reader.word("lacp_rate", MachineNetwork.Bond.LACPRate.self)
        bond.hash = try reader.word("hash", MachineNetwork.Bond.TransmitHash.self)
        (bond.addressing, bond.mtu) = (try addressing(&reader), try reader.integer("mtu"))
        try reader.finish()
        return bond
    }

    private static func vlan(_ mapping: YAMLReader, _ name: String) throws -> MachineNetwork.VLAN {
        var reader = mapping
        guard let id = try reader.integer("id"), let on = try reader.string("on") else {
            throw reader.fault(key: "id", "\(name): a VLAN has an id, and is on a port or bond")
        }
        let vlan = MachineNetwork.VLAN(id: id, on: on, try addressing(&reader), mtu: try reader.integer("mtu"))
        try reader.finish()
        return vlan
    }

    private static func addressing(_ reader: inout YAMLReader) throws -> MachineNetwork.Addressing {
        var routes: [MachineNetwork.Route] = []
        for mapping in try reader.mappings("routes") ?? [] {
            var route = mapping
            let to = try route.parsed("to", "a network such as 10.30.0.0/16", IPPrefix.init(_:))
            let via = try route.parsed("via", "an address", IPAddress.init(_:))
            guard let to, let via else { throw route.fault(key: "to", "a route goes to a network, via an address") }
            routes.append(.init(to: to, via: via, metric: try route.integer("metric")))
            try route.finish()
        }
        return .init(
            dhcp4: try reader.boolean("dhcp4") ?? false, automatic6: try reader.boolean("automatic6") ?? false,
            addresses: try reader.list("addresses", orOne: true, prefix) ?? [],
            gateways: try reader.list("gateways", orOne: true, address) ?? [], routes: routes)
    }

    private static func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else { throw ValueFault("\(text) is not an address") }
        return address
    }

    private static func prefix(_ text: String) throws -> IPPrefix {
        guard let prefix = IPPrefix(text) else {
            throw ValueFault("\(text) is not an address with its prefix length, such as 10.20.0.31/24")
        }
        return prefix
    }
}
