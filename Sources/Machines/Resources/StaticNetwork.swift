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
        guard (1...32).contains(prefixLength) else { return ("prefixLength", "a prefix length is 1 to 32 bits") }
        guard macs.contains(mac) else {
            let known = macs.map(\.description).joined(separator: ", ")
            return ("mac", "the machine has no NIC with the address \(mac); it has \(known)")
        }
        guard isHost(address) else {
            return ("address", "\(address) is not the address of a host in its /\(prefixLength)")
        }
        guard let gateway else { return nil }
        guard gateway != address else { return ("gateway", "the machine cannot be its own gateway") }
        guard isHost(gateway), gateway.rawValue & mask == address.rawValue & mask else {
            return ("gateway", "the gateway \(gateway) is not a host in the network of \(address)/\(prefixLength)")
        }
        return nil
    }

    private var mask: UInt32 { ~UInt32(0) << UInt32(32 - prefixLength) }

    /// Neither the network's own address nor its broadcast address, which /31 (RFC 3021) and /32 do not have; not one of the
    /// ranges that no host may use (RFC 6890: this network, loopback, multicast and above).
    private func isHost(_ address: IPv4Address) -> Bool {
        let first = address.bytes[0]
        guard first != 0, first != 127, first < 224 else { return false }
        guard prefixLength < 31 else { return true }
        return address.rawValue & ~mask != 0 && address.rawValue & ~mask != ~mask
    }
}
