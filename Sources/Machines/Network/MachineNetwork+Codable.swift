import FoundationEssentials
import NetworkAddresses

// Written as people write it: an interface's addresses stand beside its other words, and what is not said may be left out.

extension MachineNetwork {
    private enum Key: String, CodingKey {
        case nics, bonds, vlans, dns, ntp, mac, address, prefixLength, gateway, nameServers
    }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        guard !values.contains(.mac) else {
            self = try Self.single(values)
            return
        }
        self.init(
            nics: try values.decode([String: Port].self, forKey: .nics),
            bonds: try values.decodeIfPresent([String: Bond].self, forKey: .bonds) ?? [:],
            vlans: try values.decodeIfPresent([String: VLAN].self, forKey: .vlans) ?? [:],
            dns: try values.decodeIfPresent(NameService.self, forKey: .dns) ?? .init(),
            ntp: try values.decodeIfPresent([String].self, forKey: .ntp) ?? [])
    }

    /// Daemons before this one knew one static address only.
    private static func single(_ values: KeyedDecodingContainer<Key>) throws -> Self {
        let length = try values.decode(Int.self, forKey: .prefixLength)
        guard let own = IPPrefix(.v4(try values.decode(IPv4Address.self, forKey: .address)), length: length) else {
            throw DecodingError.dataCorruptedError(
                forKey: .prefixLength, in: values, debugDescription: "a prefix length is 1 to 32 bits")
        }
        return .single(
            mac: try values.decode(MACAddress.self, forKey: .mac), own,
            gateway: try values.decodeIfPresent(IPAddress.self, forKey: .gateway),
            nameServers: try values.decode([IPAddress].self, forKey: .nameServers))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(nics, forKey: .nics)
        if !bonds.isEmpty { try values.encode(bonds, forKey: .bonds) }
        if !vlans.isEmpty { try values.encode(vlans, forKey: .vlans) }
        if dns != NameService() { try values.encode(dns, forKey: .dns) }
        if !ntp.isEmpty { try values.encode(ntp, forKey: .ntp) }
    }

    /// One port with one address.
    public static func single(
        mac: MACAddress, _ address: IPPrefix, gateway: IPAddress? = nil, nameServers: [IPAddress] = []
    ) -> Self {
        Self(
            nics: [
                "lan0": Port(.mac(mac), Addressing(addresses: [address], gateways: gateway.map { [$0] } ?? []))
            ], dns: NameService(servers: nameServers))
    }
}

extension MachineNetwork.Port {
    private enum Key: String, CodingKey { case port, mtu }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            try values.decode(PortReference.self, forKey: .port), try .init(from: decoder),
            mtu: try values.decodeIfPresent(Int.self, forKey: .mtu))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(port, forKey: .port)
        try values.encodeIfPresent(mtu, forKey: .mtu)
        try addressing.encode(to: encoder)
    }
}

extension MachineNetwork.Bond {
    private enum Key: String, CodingKey { case ports, mode, monitorMilliseconds, lacpRate, hash, mtu }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            try values.decode([String].self, forKey: .ports), mode: try values.decode(Mode.self, forKey: .mode),
            monitorMilliseconds: try values.decodeIfPresent(Int.self, forKey: .monitorMilliseconds) ?? 100,
            lacpRate: try values.decodeIfPresent(LACPRate.self, forKey: .lacpRate),
            hash: try values.decodeIfPresent(TransmitHash.self, forKey: .hash),
            addressing: try .init(from: decoder), mtu: try values.decodeIfPresent(Int.self, forKey: .mtu))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(ports, forKey: .ports)
        try values.encode(mode, forKey: .mode)
        try values.encode(monitorMilliseconds, forKey: .monitorMilliseconds)
        try values.encodeIfPresent(lacpRate, forKey: .lacpRate)
        try values.encodeIfPresent(hash, forKey: .hash)
        try values.encodeIfPresent(mtu, forKey: .mtu)
        try addressing.encode(to: encoder)
    }
}

extension MachineNetwork.VLAN {
    private enum Key: String, CodingKey { case id, on, mtu }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            id: try values.decode(Int.self, forKey: .id), on: try values.decode(String.self, forKey: .on),
            try .init(from: decoder), mtu: try values.decodeIfPresent(Int.self, forKey: .mtu))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(id, forKey: .id)
        try values.encode(on, forKey: .on)
        try values.encodeIfPresent(mtu, forKey: .mtu)
        try addressing.encode(to: encoder)
    }
}

extension MachineNetwork.Addressing {
    private enum Key: String, CodingKey { case dhcp4, automatic6, addresses, gateways, routes }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            dhcp4: try values.decodeIfPresent(Bool.self, forKey: .dhcp4) ?? false,
            automatic6: try values.decodeIfPresent(Bool.self, forKey: .automatic6) ?? false,
            addresses: try values.decodeIfPresent([IPPrefix].self, forKey: .addresses) ?? [],
            gateways: try values.decodeIfPresent([IPAddress].self, forKey: .gateways) ?? [],
            routes: try values.decodeIfPresent([MachineNetwork.Route].self, forKey: .routes) ?? [])
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        if dhcp4 { try values.encode(dhcp4, forKey: .dhcp4) }
        if automatic6 { try values.encode(automatic6, forKey: .automatic6) }
        if !addresses.isEmpty { try values.encode(addresses, forKey: .addresses) }
        if !gateways.isEmpty { try values.encode(gateways, forKey: .gateways) }
        if !routes.isEmpty { try values.encode(routes, forKey: .routes) }
    }
}

extension MachineNetwork.NameService {
    private enum Key: String, CodingKey { case servers, search }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Key.self)
        self.init(
            servers: try values.decodeIfPresent([IPAddress].self, forKey: .servers) ?? [],
            search: try values.decodeIfPresent([String].self, forKey: .search) ?? [])
    }
}
