import FoundationEssentials
import NetworkAddresses

/// The addresses of one subnet and who has them. One machine holds one lease: firmware, iPXE, agent and installed system bring
/// different client identifiers, so the key is the MAC. Pure: times come from outside.
public struct LeasePool: Sendable {
    /// What may be given to anybody; reserved addresses in it go to nobody else.
    public let ranges: [ClosedRange<IPv4Address>]
    private let reserved: Set<IPv4Address>
    private var table = LeaseTable()
    /// Offers not yet requested: held back for a moment. No more than there are addresses.
    private var offers = LeaseTable()
    /// Somebody else answers at these addresses (DECLINE, or a probe), until then.
    private var declined: [IPv4Address: Date] = [:]
    /// Addresses that were free at the last look, the best one last.
    private var free: [IPv4Address] = []
    private var nextLook = Date.distantPast
    /// Addresses of which a probe said that nobody has them, and when.
    private var probed: [IPv4Address: Date] = [:]

    /// Seconds an offer is held: the slowest firmware measured requests after 30.
    static let offerSeconds: Double = 60
    static let declineSeconds: Double = 600
    /// Seconds for which a probe is believed.
    static let probeSeconds: Double = 60
    /// Seconds between two looks for free addresses in a pool that is full: a flood of made-up machines costs no more.
    static let lookSeconds: Double = 1

    /// - Parameter leases: as the journal held them; those of other subnets are left out.
    public init(ranges: [ClosedRange<IPv4Address>], reserved: Set<IPv4Address> = [], leases: [Lease] = []) {
        (self.ranges, self.reserved) = (ranges, reserved)
        for lease in leases where reserved.contains(lease.address) || isInRange(lease.address) { table.insert(lease) }
    }

    public var leases: [Lease] { table.sorted }

    /// The machine's address, if it has one now or had it last.
    public func lease(of mac: MACAddress) -> Lease? { table[mac] }

    /// Whether a machine may ask for this address: one of the pool, or the one that is reserved for it.
    func mayHave(_ address: IPv4Address, reserved own: IPv4Address?) -> Bool {
        if let own { return address == own }
        return isInRange(address) && !reserved.contains(address)
    }

    /// Holds an address for a moment: the reserved one, the one the machine has, the one it asks for, or a free one.
    /// Nil when there is none for it.
    public mutating func offer(to mac: MACAddress, reserved own: IPv4Address?, wanting wanted: IPv4Address?, now: Date)
        -> IPv4Address?
    {
        let known = own.map { [$0] } ?? [table[mac]?.address, offers[mac]?.address, wanted].compactMap { $0 }
        for address in known where mayHave(address, reserved: own) && isUsable(address, by: mac, now: now) {
            return hold(address, mac, now)
        }
        guard own == nil else { return nil }
        return freeAddress(for: mac, now: now).map { hold($0, mac, now) }
    }

    /// Gives or renews a lease. Nil when the address is not this machine's to have.
    public mutating func lease(
        _ address: IPv4Address, to mac: MACAddress, reserved own: IPv4Address?, seconds: Double, now: Date
    ) -> Lease? {
        guard mayHave(address, reserved: own), isUsable(address, by: mac, now: now) else { return nil }
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
    /// - Returns: the ended lease, for the journal; nil when there was none.
    public mutating func decline(_ address: IPv4Address, by mac: MACAddress, now: Date) -> Lease? {
        guard table[mac]?.address == address || offers[mac]?.address == address else { return nil }
        withdrawOffer(to: mac)
        declined[address] = now.addingTimeInterval(Self.declineSeconds)
        guard let lease = table[mac], lease.address == address else { return nil }
        table.remove(mac)
        return Lease(mac: lease.mac, address: lease.address, expires: now)
    }

    /// The client took another server's offer.
    public mutating func withdrawOffer(to mac: MACAddress) { offers.remove(mac) }

    /// The addresses that strangers are offered next and that were not probed lately.
    public mutating func unprobed(_ count: Int, now: Date) -> [IPv4Address] {
        if free.isEmpty, now >= nextLook {
            nextLook = now.addingTimeInterval(Self.lookSeconds)
            look(now)
        }
        probed = probed.filter { now.timeIntervalSince($0.value) < Self.probeSeconds }
        return free.suffix(count).filter { probed[$0] == nil && declined[$0] == nil }
    }

    /// Takes in what a probe found: addresses in use are given to nobody for a while.
    public mutating func note(probed addresses: [IPv4Address], inUse: Set<IPv4Address>, now: Date) {
        for address in addresses { probed[address] = now }
        guard !inUse.isEmpty else { return }
        for address in inUse { declined[address] = now.addingTimeInterval(Self.declineSeconds) }
        free.removeAll { inUse.contains($0) }
    }

    private mutating func hold(_ address: IPv4Address, _ mac: MACAddress, _ now: Date) -> IPv4Address {
        offers.insert(Lease(mac: mac, address: address, expires: now.addingTimeInterval(Self.offerSeconds)))
        return address
    }

    private func isInRange(_ address: IPv4Address) -> Bool { ranges.contains { $0.contains(address) } }

    /// Free, or held by this machine already, or by another whose time is over.
    private func isUsable(_ address: IPv4Address, by mac: MACAddress, now: Date) -> Bool {
        if let until = declined[address], until > now { return false }
        return [table, offers].allSatisfy { table in
            table.lease(at: address).map { $0.mac == mac || $0.expires <= now } ?? true
        }
    }

    /// Never-used addresses first, so that a machine that comes back finds its old one; then the longest expired.
    private mutating func freeAddress(for mac: MACAddress, now: Date) -> IPv4Address? {
        while true {
            while let address = free.popLast() {
                if isUsable(address, by: mac, now: now) { return address }
            }
            guard now >= nextLook else { return nil }
            nextLook = now.addingTimeInterval(Self.lookSeconds)
            look(now)
            guard !free.isEmpty else { return nil }
        }
    }

    private mutating func look(_ now: Date) {
        declined = declined.filter { $0.value > now }
        free = ranges.flatMap { range in
            (range.lowerBound.rawValue...range.upperBound.rawValue).map { IPv4Address(rawValue: $0) }
        }.filter { address in
            !reserved.contains(address) && declined[address] == nil
                && [table, offers].allSatisfy { $0.lease(at: address).map { $0.expires <= now } ?? true }
        }
        func used(_ address: IPv4Address) -> Date { table.lease(at: address)?.expires ?? .distantPast }
        free.sort { (used($0), $0) > (used($1), $1) }
    }
}
