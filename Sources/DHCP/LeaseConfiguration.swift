import NetworkAddresses

/// What a lease tells a client.
public struct LeaseConfiguration: Equatable, Sendable {
    public var address: IPv4Address
    public var prefixLength: Int
    public var router: IPv4Address?
    /// Classless routes (RFC 3442). When there are any, ``router`` is not used.
    public var routes: [Route]
    public var mtu: Int?
    public var server: IPv4Address
    /// How long the address may be used, in seconds.
    public var leaseSeconds: Int64
    /// When to ask its server for more time (T1), and when to ask any (T2), in seconds from the ACK.
    public var renewalSeconds: Int64
    public var rebindingSeconds: Int64

    public struct Route: Equatable, Sendable {
        public var destination: IPv4Address
        public var prefixLength: Int
        public var gateway: IPv4Address
    }

    /// The routes to set: the classless ones, or else the default route by ``router``.
    public var effectiveRoutes: [Route] {
        guard routes.isEmpty, let router else { return routes }
        return [Route(destination: .unspecified, prefixLength: 0, gateway: router)]
    }

    /// Nil for an ACK without address or server.
    public init?(_ ack: Message) {
        guard ack.yiaddr != .unspecified, let server = ack.serverIdentifier else { return nil }
        (address, self.server) = (ack.yiaddr, server)
        let mask = ack.address(.subnetMask)?.rawValue ?? 0xffff_ff00
        prefixLength = (~mask).leadingZeroBitCount
        router = ack.addresses(.router).first
        routes = Self.routes(ack.options[.classlessRoutes] ?? [])
        mtu = ack.options[.interfaceMTU].flatMap { $0.count == 2 ? Int($0[0]) << 8 | Int($0[1]) : nil }.flatMap {
            $0 >= 576 ? $0 : nil
        }
        leaseSeconds = Int64(ack.seconds(.leaseTime) ?? 3600)
        // RFC 2131 §4.4.5; times that are not in order count as not given.
        rebindingSeconds = leaseSeconds * 7 / 8
        if let told = ack.seconds(.rebindingTime).map(Int64.init), (1...max(1, leaseSeconds)).contains(told) {
            rebindingSeconds = told
        }
        renewalSeconds = min(leaseSeconds / 2, rebindingSeconds)
        if let told = ack.seconds(.renewalTime).map(Int64.init), (1...max(1, rebindingSeconds)).contains(told) {
            renewalSeconds = told
        }
    }

    /// RFC 3442: prefix length, only as many octets of the destination as it covers, gateway. A broken list counts as none.
    static func routes(_ bytes: [UInt8]) -> [Route] {
        var routes: [Route] = []
        var rest = bytes[...]
        while let bits = rest.popFirst() {
            let count = (Int(bits) + 7) / 8
            guard bits <= 32, rest.count >= count + 4,
                let destination = IPv4Address(bytes: Array(rest.prefix(count)) + Array(repeating: 0, count: 4 - count)),
                let gateway = IPv4Address(bytes: rest.dropFirst(count).prefix(4))
            else { return [] }
            routes.append(Route(destination: destination, prefixLength: Int(bits), gateway: gateway))
            rest = rest.dropFirst(count + 4)
        }
        return routes
    }
}
