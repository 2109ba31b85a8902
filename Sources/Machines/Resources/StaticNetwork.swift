import NetworkAddresses

extension Machine {
    /// A fixed address for the installed system.
    public struct StaticNetwork: Codable, Equatable, Sendable {
        /// The NIC that gets the address.
        public var mac: MACAddress
        public var address: IPv4Address
        /// Bits, 1–32.
        public var prefixLength: Int
        public var gateway: IPv4Address?
        public var nameServers: [IPv4Address]

        public init(
            mac: MACAddress, address: IPv4Address, prefixLength: Int, gateway: IPv4Address? = nil,
            nameServers: [IPv4Address] = []
        ) {
            (self.mac, self.address, self.prefixLength) = (mac, address, prefixLength)
            (self.gateway, self.nameServers) = (gateway, nameServers)
        }
    }
}

extension Machine.StaticNetwork {
    /// Why a machine with these NICs could not be reached with this network: the field and the reason. Nil: it could.
    public func fault(macs: [MACAddress]) -> (field: String, reason: String)? {
        guard prefixLength > 0, let network = IPv4Network(address, prefixLength: prefixLength) else {
            return ("prefixLength", "a prefix length is 1 to 32 bits")
        }
        guard macs.contains(mac) else {
            let known = macs.map(\.description).joined(separator: ", ")
            return ("mac", "the machine has no NIC with the address \(mac); it has \(known)")
        }
        // RFC 6890: this network, loopback, multicast and above.
        guard network.isHost(address), ![0, 127].contains(address.bytes[0]), address.bytes[0] < 224 else {
            return ("address", "\(address) is not the address of a host in \(network)")
        }
        guard let gateway else { return nil }
        guard gateway != address else { return ("gateway", "the machine cannot be its own gateway") }
        guard network.isHost(gateway) else { return ("gateway", "the gateway \(gateway) is not a host in \(network)") }
        return nil
    }
}
