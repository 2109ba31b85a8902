import NetworkAddresses

/// How a BMC's own LAN is set (IPv4), as it says.
public struct BMCNetwork: Codable, Equatable, Sendable {
    /// Where the address comes from.
    public enum Source: String, Codable, Sendable {
        case fixed, dhcp
        /// The firmware of the machine, or another protocol.
        case other
    }

    public var source: Source
    public var address: IPv4Address
    public var netmask: IPv4Address
    /// Nil: none.
    public var gateway: IPv4Address?
    public var mac: MACAddress?
    /// 1 to 4094; nil: untagged.
    public var vlan: Int?

    public init(
        source: Source, address: IPv4Address, netmask: IPv4Address, gateway: IPv4Address? = nil, mac: MACAddress? = nil,
        vlan: Int? = nil
    ) {
        (self.source, self.address, self.netmask) = (source, address, netmask)
        (self.gateway, self.mac, self.vlan) = (gateway, mac, vlan)
    }

    /// In one line: `10.0.0.9 255.255.255.0 via 10.0.0.1, fixed`.
    public var summary: String {
        "\(address) \(netmask)" + (gateway.map { " via \($0)" } ?? "") + ", \(source.rawValue)"
            + (vlan.map { ", VLAN \($0)" } ?? "")
    }
}

/// What a BMC's LAN is to be.
public enum BMCNetworkSetting: Equatable, Sendable {
    case dhcp
    /// - Parameter gateway: nil: none.
    case fixed(IPv4Address, netmask: IPv4Address, gateway: IPv4Address?)

    /// Why a BMC could not be reached with it: the field and the reason. Nil: it could.
    public var fault: (field: String, reason: String)? {
        guard case .fixed(let address, let netmask, let gateway) = self else { return nil }
        let bits = (~netmask.rawValue).leadingZeroBitCount
        guard let network = IPv4Network(address, prefixLength: bits), bits > 0, network.mask == netmask else {
            return ("netmask", "\(netmask) is not a netmask such as 255.255.255.0")
        }
        // RFC 6890: this network, multicast and above.
        guard network.isHost(address), address.bytes[0] != 0, address.bytes[0] < 224 else {
            return ("address", "\(address) is not the address of a host in \(network)")
        }
        guard let gateway else { return nil }
        guard gateway != address, network.isHost(gateway) else {
            return ("gateway", "the gateway \(gateway) is not another host in \(network)")
        }
        return nil
    }

    /// The BMC may be somewhere else afterwards.
    public func moves(_ network: BMCNetwork) -> Bool {
        switch self {
        case .dhcp: network.source != .dhcp
        case .fixed(let address, _, _): network.address != address
        }
    }

    public func isMet(by network: BMCNetwork) -> Bool {
        switch self {
        case .dhcp: network.source == .dhcp
        case .fixed(let address, let netmask, let gateway):
            network.source == .fixed && network.address == address && network.netmask == netmask
                && network.gateway == gateway
        }
    }

    /// For people.
    public var summary: String {
        switch self {
        case .dhcp: "an address by DHCP"
        case .fixed(let address, let netmask, let gateway):
            BMCNetwork(source: .fixed, address: address, netmask: netmask, gateway: gateway).summary
        }
    }
}
