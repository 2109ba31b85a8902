import NetworkAddresses

/// One subnet whose machines are answered, and how.
public struct Subnet: Equatable, Sendable {
    public enum Mode: String, Sendable, CaseIterable {
        /// Boot answers only, beside another server that gives the addresses.
        case proxy
        /// Addresses from the pools; reserved ones to those they are for.
        case pool
        /// Reserved addresses only, and silence to everybody else.
        case reservation
        /// A reserved address to those who have one, and boot answers only to everybody else.
        case auto
        /// Silence.
        case off
    }

    /// An address for one machine, known by its MAC or by its client identifier (option 61).
    public struct Reservation: Equatable, Sendable {
        public enum Key: Hashable, Sendable {
            case mac(MACAddress)
            case clientID([UInt8])
        }

        public var key: Key
        public var address: IPv4Address
        public var hostName: String?

        public init(key: Key, address: IPv4Address, hostName: String? = nil) {
            (self.key, self.address, self.hostName) = (key, address, hostName)
        }
    }

    public var mode: Mode
    /// The interface it is on; nil: it is reached through relay agents only.
    public var interface: String?
    /// Nil: whatever the interface carries. Only a proxy can do without.
    public var network: IPv4Network?
    /// An address of ours that its machines reach: server identifier, TFTP server, host of every URL.
    public var server: IPv4Address
    public var pools: [ClosedRange<IPv4Address>]
    public var reservations: [Reservation]
    public var router: IPv4Address?
    public var nameServers: [IPv4Address]
    public var domainName: String?
    /// Bytes of an Ethernet payload (option 26); nil: said by nobody, which is 1500.
    public var mtu: Int?
    /// For agents and installed systems, in seconds.
    public var leaseSeconds: UInt32
    /// For firmware and iPXE, which are gone in minutes, in seconds.
    public var bootLeaseSeconds: UInt32

    public init(
        mode: Mode, interface: String? = nil, network: IPv4Network? = nil, server: IPv4Address,
        pools: [ClosedRange<IPv4Address>] = [], reservations: [Reservation] = [], router: IPv4Address? = nil,
        nameServers: [IPv4Address] = [], domainName: String? = nil, mtu: Int? = nil, leaseSeconds: UInt32 = 3600,
        bootLeaseSeconds: UInt32 = 600
    ) {
        (self.mode, self.interface, self.network, self.server) = (mode, interface, network, server)
        (self.pools, self.reservations, self.router, self.nameServers) = (pools, reservations, router, nameServers)
        (self.domainName, self.mtu) = (domainName, mtu)
        (self.leaseSeconds, self.bootLeaseSeconds) = (leaseSeconds, bootLeaseSeconds)
    }

    /// It gives addresses, to some clients at least.
    public var givesAddresses: Bool { [.pool, .reservation, .auto].contains(mode) }
    /// Clients may ask it on port 4011.
    public var isProxy: Bool { [.proxy, .auto].contains(mode) }

    /// For people: the subnet, or the interface where no subnet is named.
    public var name: String { network?.description ?? interface ?? "any" }
}
