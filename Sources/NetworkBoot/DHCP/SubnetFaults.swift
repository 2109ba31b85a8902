import NetworkAddresses

extension Subnet {
    /// What is wrong with a set of subnets, in words that begin with the subnet's name. Empty: they can be served. Pure.
    public static func faults(of subnets: [Subnet]) -> [String] {
        var found = subnets.flatMap { subnet in subnet.faults.map { "\(subnet.name): \($0)" } }
        for (index, subnet) in subnets.enumerated() {
            for other in subnets[..<index] {
                if let interface = subnet.interface, interface == other.interface {
                    found.append("\(subnet.name): \(interface) has \(other.name) already; an interface has one subnet")
                }
                guard let network = subnet.network, let second = other.network,
                    network.contains(second.address) || second.contains(network.address)
                else { continue }
                found.append("\(network): overlaps with \(second)")
            }
        }
        return found
    }

    private var faults: [String] {
        var found: [String] = []
        if interface == nil, network == nil { found.append("a subnet names its interface, its addresses, or both") }
        guard let network else {
            if mode != .proxy, mode != .off {
                found.append("mode \(mode.rawValue) needs `subnet`, such as 10.20.0.0/24")
            }
            return found
        }
        if mode == .pool, pools.isEmpty { found.append("mode pool needs `pools`, such as [10.20.0.100-10.20.0.199]") }
        if mode == .reservation, reservations.isEmpty { found.append("mode reservation needs `reservations`") }
        for pool in pools {
            for address in [pool.lowerBound, pool.upperBound] where !network.isHost(address) {
                found.append("\(address) in pools is not a host of this subnet")
            }
            if pool.contains(server) {
                found.append("the pool \(pool.lowerBound)-\(pool.upperBound) holds our own address \(server)")
            }
            if let router, pool.contains(router) {
                found.append("the pool \(pool.lowerBound)-\(pool.upperBound) holds the router \(router)")
            }
        }
        for (index, pool) in pools.enumerated() {
            for other in pools[..<index] where other.overlaps(pool) {
                found.append(
                    "the pools \(other.lowerBound)-\(other.upperBound) and \(pool.lowerBound)-\(pool.upperBound) overlap"
                )
            }
        }
        var addresses: Set<IPv4Address> = []
        var keys: Set<Reservation.Key> = []
        for reservation in reservations {
            if !network.isHost(reservation.address) {
                found.append("the reserved address \(reservation.address) is not a host of this subnet")
            }
            if reservation.address == server { found.append("\(server) is our own address and cannot be reserved") }
            if !addresses.insert(reservation.address).inserted {
                found.append("\(reservation.address) is reserved twice")
            }
            if !keys.insert(reservation.key).inserted {
                found.append("the machine of \(reservation.address) has another reserved address")
            }
        }
        if let router, !network.isHost(router) { found.append("the router \(router) is not a host of this subnet") }
        if let mtu, !(576...9216).contains(mtu) { found.append("the MTU \(mtu) is not 576 to 9216") }
        return found
    }
}
