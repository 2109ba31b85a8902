import FoundationEssentials
import NetworkAddresses

/// Addresses of one range and who has them. One machine holds one lease: firmware, iPXE, agent and installed system bring
/// different client identifiers, so the key is the MAC. Pure: times come from outside.
public struct LeasePool: Sendable {
    public let range: ClosedRange<IPv4Address>
    private var table = LeaseTable()
    /// Offers not yet requested: held back for a moment. No more than there are addresses.
    private var offers = LeaseTable()
    /// Somebody else answers at these addresses (DECLINE), until then.
    private var declined: [IPv4Address: Date] = [:]
    private var next: IPv4Address

    /// Seconds an offer is held: the slowest firmware measured requests after 30.
    static let offerSeconds: Double = 60
    static let declineSeconds: Double = 600

    public init(range: ClosedRange<IPv4Address>, leases: [Lease] = []) {
        (self.range, next) = (range, range.lowerBound)
        for lease in leases where range.contains(lease.address) { table.insert(lease) }
    }

    public var leases: [Lease] { table.sorted }

    /// The machine's address, if it has one now or had it last.
    public func lease(of mac: MACAddress) -> Lease? { table[mac] }

    /// Reserves an address for a moment: the one it has, the one it asks for, or a free one. Nil when all are taken.
    public mutating func offer(to mac: MACAddress, wanting wanted: IPv4Address?, now: Date) -> IPv4Address? {
        if let lease = table[mac], usable(lease.address, by: mac, now: now) { return reserve(lease.address, mac, now) }
        if let offer = offers[mac], usable(offer.address, by: mac, now: now) { return reserve(offer.address, mac, now) }
        if let wanted, range.contains(wanted), usable(wanted, by: mac, now: now) { return reserve(wanted, mac, now) }
        return freeAddress(for: mac, now: now).flatMap { reserve($0, mac, now) }
    }

    /// Gives or renews a lease. Nil when the address is not this machine's to have.
    public mutating func lease(_ address: IPv4Address, to mac: MACAddress, seconds: Double, now: Date) -> Lease? {
        guard range.contains(address), usable(address, by: mac, now: now) else { return nil }
        let lease = Lease(mac: mac, address: address, expires: now.addingTimeInterval(seconds))
        withdrawOffer(to: mac)
        table.insert(lease)
        return lease
    }

    /// Gives an address back at once.
    /// - Returns: the ended lease, for the journal; nil when there was none.
    public mutating func release(_ address: IPv4Address, by mac: MACAddress, now: Date) -> Lease? {
        guard var lease = table[mac], lease.address == address else { return nil }
        lease.expires = now
        table.insert(lease)
        return lease
    }

    /// The client found somebody else at the address: nobody gets it for a while.
    public mutating func decline(_ address: IPv4Address, by mac: MACAddress, now: Date) -> Lease? {
        guard range.contains(address), table[mac]?.address == address || offers[mac]?.address == address else {
            return nil
        }
        let lease = table.remove(mac)
        withdrawOffer(to: mac)
        declined[address] = now.addingTimeInterval(Self.declineSeconds)
        return lease.map { Lease(mac: $0.mac, address: $0.address, expires: now) }
    }

    /// The client took another server's offer.
    public mutating func withdrawOffer(to mac: MACAddress) { offers.remove(mac) }

    private mutating func reserve(_ address: IPv4Address, _ mac: MACAddress, _ now: Date) -> IPv4Address {
        offers.insert(Lease(mac: mac, address: address, expires: now.addingTimeInterval(Self.offerSeconds)))
        return address
    }

    /// Free, or held by this machine already, or by another whose time is over.
    private func usable(_ address: IPv4Address, by mac: MACAddress, now: Date) -> Bool {
        if let until = declined[address], until > now { return false }
        return [table, offers].allSatisfy { table in
            table.lease(at: address).map { $0.mac == mac || $0.expires <= now } ?? true
        }
    }

    /// Never-used addresses first, so that a machine that comes back finds its old one; then the longest expired.
    private mutating func freeAddress(for mac: MACAddress, now: Date) -> IPv4Address? {
        var candidate = next
        for _ in 0..<(UInt64(range.upperBound.rawValue) - UInt64(range.lowerBound.rawValue) + 1) {
            let address = candidate
            candidate = address >= range.upperBound ? range.lowerBound : IPv4Address(rawValue: address.rawValue + 1)
            if table.lease(at: address) == nil, usable(address, by: mac, now: now) {
                next = candidate
                return address
            }
        }
        return table.sorted.filter { usable($0.address, by: mac, now: now) }.min { $0.expires < $1.expires }?.address
    }
}
