import NetworkAddresses

/// One IPv6 network whose machines are answered by DHCPv6. Routes and prefixes are the router's to advertise, not ours.
public struct DHCPv6Network: Equatable, Sendable {
    public enum Mode: String, Sendable, CaseIterable {
        /// Addresses (IA_NA) and boot files.
        case address
        /// Boot files and name servers, for machines that make their addresses from the router's prefix (SLAAC).
        case stateless
    }

    public var mode: Mode
    /// The interface it is on; nil: it is reached through relay agents only.
    public var interface: String?
    /// The first 64 bits of its addresses.
    public var prefix: UInt64
    /// An address of ours that its machines reach: host of every URL.
    public var server: IPv6Address
    public var nameServers: [IPv6Address]
    public var domainName: String?
    /// Seconds.
    public var leaseSeconds: UInt32

    public init(
        mode: Mode, interface: String? = nil, prefix: UInt64, server: IPv6Address, nameServers: [IPv6Address] = [],
        domainName: String? = nil, leaseSeconds: UInt32 = 3600
    ) {
        (self.mode, self.interface, self.prefix, self.server) = (mode, interface, prefix, server)
        (self.nameServers, self.domainName, self.leaseSeconds) = (nameServers, domainName, leaseSeconds)
    }

    /// For people.
    public var name: String { "\(IPv6Address(high: prefix, low: 0))/64" }

    func contains(_ address: IPv6Address) -> Bool { address.high == prefix }

    /// What is wrong with a set of networks, in words that begin with the network's name. Empty: they can be served. Pure.
    public static func faults(of networks: [DHCPv6Network]) -> [String] {
        var found: [String] = []
        for (index, network) in networks.enumerated() {
            let server = network.server
            if server.isLinkLocal || server.isMulticast || server == .unspecified {
                found.append(
                    "\(network.name): server \(server) is no address that a URL can name; take one of \(network.name)")
            }
            let labels = network.domainName?.split(separator: ".", omittingEmptySubsequences: false) ?? []
            if labels.contains(where: { !(1...63).contains($0.utf8.count) }) {
                found.append("\(network.name): domain_name has a part that is empty or longer than 63 letters")
            }
            for other in networks[..<index] {
                if other.prefix == network.prefix { found.append("\(network.name): is there twice") }
                if let interface = network.interface, other.interface == interface {
                    found.append(
                        "\(network.name): \(interface) has \(other.name) already; an interface has one network")
                }
            }
        }
        return found
    }
}

/// The addresses of machines, reckoned from their MACs: one machine has one address, whatever identifiers its firmware, iPXE and
/// its system bring, and there is nothing to keep.
public struct MachineAddress: Equatable, Sendable {
    public var address: IPv6Address

    /// The first 16 bits of the interface identifier. Local ones (RFC 4291 §2.5.1), and no EUI-64: that is the machine's own to take.
    private static let marks: ClosedRange<UInt64> = 0x5c10...0x5c1f
    /// For who has told no MAC: the rest is reckoned from its identifier.
    private static let anonymousMark: UInt64 = 0x5c20

    /// - Parameter attempt: how many addresses before this one were found in use.
    init(of mac: MACAddress, prefix: UInt64, attempt: Int = 0) {
        let mark = Self.marks.lowerBound + UInt64(attempt % Self.marks.count)
        address = IPv6Address(high: prefix, low: mark << 48 | mac.rawValue)
    }

    init(ofIdentifier identifier: [UInt8], prefix: UInt64) {
        // FNV-1a (draft-eastlake-fnv, 64 bits), folded to 48.
        let hash = identifier.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        address = IPv6Address(high: prefix, low: Self.anonymousMark << 48 | (hash ^ hash >> 48) & 0xffff_ffff_ffff)
    }

    /// The MAC in an address of ours, or in one that a machine made itself.
    static func mac(in address: IPv6Address) -> MACAddress? {
        guard marks.contains(address.low >> 48) else { return address.hardwareAddress }
        return MACAddress(rawValue: address.low & 0xffff_ffff_ffff)
    }
}
