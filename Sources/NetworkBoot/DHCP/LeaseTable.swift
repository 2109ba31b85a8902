import FoundationEssentials
import NetworkAddresses

/// An address given to a machine until a time.
public struct Lease: Codable, Equatable, Sendable {
    public var mac: MACAddress
    public var address: IPv4Address
    public var expires: Date

    public init(mac: MACAddress, address: IPv4Address, expires: Date) {
        (self.mac, self.address, self.expires) = (mac, address, expires)
    }
}

/// The newest lease of each machine and of each address: never two machines at one address, nor two addresses for one machine.
/// Expired ones stay until their address goes to another, so that a machine that comes back finds its old one.
struct LeaseTable: Equatable, Sendable {
    private var byMAC: [MACAddress: Lease] = [:]
    private var byAddress: [IPv4Address: MACAddress] = [:]

    var count: Int { byMAC.count }
    var sorted: [Lease] { byMAC.values.sorted { $0.address < $1.address } }

    subscript(mac: MACAddress) -> Lease? { byMAC[mac] }

    func lease(at address: IPv4Address) -> Lease? { byAddress[address].flatMap { byMAC[$0] } }

    mutating func insert(_ lease: Lease) {
        remove(lease.mac)
        if let former = byAddress[lease.address] { byMAC[former] = nil }
        byMAC[lease.mac] = lease
        byAddress[lease.address] = lease.mac
    }

    @discardableResult mutating func remove(_ mac: MACAddress) -> Lease? {
        guard let lease = byMAC.removeValue(forKey: mac) else { return nil }
        byAddress[lease.address] = nil
        return lease
    }
}
