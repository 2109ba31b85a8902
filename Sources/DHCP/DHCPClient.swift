import NetworkAddresses

/// What a lease tells a client.
public struct LeaseConfiguration: Equatable, Sendable {
    public var address: IPv4Address
    public var prefixLength: Int
    public var router: IPv4Address?
    /// Destination, prefix length and gateway (RFC 3442). When there are any, ``router`` is not used.
    public var routes: [Route]
    public var mtu: Int?
    public var server: IPv4Address
    /// Seconds.
    public var leaseSeconds: UInt32

    public struct Route: Equatable, Sendable {
        public var destination: IPv4Address
        public var prefixLength: Int
        public var gateway: IPv4Address
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
        leaseSeconds = ack.seconds(.leaseTime) ?? 3600
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

/// A DHCP client (RFC 2131 §4.4) as a state machine: no socket, no clock. It never gives up: a switch port may hold back
/// packets for a minute of spanning tree, and a server may come back after an hour.
public struct DHCPClient: Sendable {
    public enum Event: Sendable {
        case started
        case received(Message)
        case timerFired
    }

    public enum Action: Equatable, Sendable {
        case broadcast(Message)
        case unicast(Message, to: IPv4Address)
        case armTimer(Duration)
        case configure(LeaseConfiguration)
        /// The lease is over: the address must not be used any more.
        case deconfigure
    }

    private enum State {
        case idle
        /// Asks for the firmware's address by name; a few tries, then discovers.
        case rebooting(IPv4Address, tries: Int)
        case discovering(tries: Int)
        case requesting(address: IPv4Address, server: IPv4Address, tries: Int)
        case bound(LeaseConfiguration)
        case renewing(LeaseConfiguration, remaining: UInt32)
    }

    private var state = State.idle
    private let mac: MACAddress
    private let former: IPv4Address?
    private let vendorClass: String
    private var xid: UInt32
    private var jitter: UInt32

    /// - Parameters:
    ///   - former: the address the firmware had, asked for first.
    ///   - seed: a random number, for transaction ids and waits.
    public init(mac: MACAddress, former: IPv4Address?, vendorClass: String, seed: UInt32) {
        (self.mac, self.former, self.vendorClass) = (mac, former, vendorClass)
        (xid, jitter) = (seed, seed)
    }

    public mutating func handle(_ event: Event) -> [Action] {
        switch (state, event) {
        case (.idle, .started):
            guard let former else { return discover(tries: 0) }
            return reboot(former, tries: 0)
        case (.rebooting(let address, let tries), .timerFired):
            return tries < 2 ? reboot(address, tries: tries + 1) : discover(tries: 0)
        case (.rebooting, .received(let message)), (.requesting, .received(let message)):
            guard isMine(message) else { return [] }
            if message.type == .nak { return discover(tries: 0) }
            guard message.type == .ack, let lease = LeaseConfiguration(message) else { return [] }
            return bind(lease)
        case (.discovering, .received(let message)):
            guard isMine(message), message.type == .offer, message.yiaddr != .unspecified,
                let server = message.serverIdentifier
            else { return [] }
            return request(message.yiaddr, server, tries: 0)
        case (.discovering(let tries), .timerFired): return discover(tries: tries + 1)
        case (.requesting(let address, let server, let tries), .timerFired):
            return tries < 3 ? request(address, server, tries: tries + 1) : discover(tries: 0)
        case (.bound(let lease), .timerFired): return renew(lease, remaining: lease.leaseSeconds / 2)
        case (.renewing(let lease, _), .received(let message)):
            guard isMine(message) else { return [] }
            if message.type == .nak { return [.deconfigure] + discover(tries: 0) }
            guard message.type == .ack, let renewed = LeaseConfiguration(message), renewed.address == lease.address
            else { return [] }
            return bind(renewed)
        case (.renewing(let lease, let remaining), .timerFired):
            guard remaining > 0 else { return [.deconfigure] + discover(tries: 0) }
            return renew(lease, remaining: remaining)
        case (.idle, _), (_, .started), (.bound, .received): return []
        }
    }

    private mutating func reboot(_ address: IPv4Address, tries: Int) -> [Action] {
        state = .rebooting(address, tries: tries)
        var message = message(.request)
        message.set(.requestedAddress, [address])
        return [.broadcast(message), .armTimer(wait(tries))]
    }

    private mutating func discover(tries: Int) -> [Action] {
        if tries == 0 { xid = xid &+ 0x9e37_79b9 }
        state = .discovering(tries: tries)
        return [.broadcast(message(.discover)), .armTimer(wait(tries))]
    }

    private mutating func request(_ address: IPv4Address, _ server: IPv4Address, tries: Int) -> [Action] {
        state = .requesting(address: address, server: server, tries: tries)
        var message = message(.request)
        message.set(.requestedAddress, [address])
        message.set(.serverIdentifier, [server])
        return [.broadcast(message), .armTimer(wait(tries))]
    }

    private mutating func bind(_ lease: LeaseConfiguration) -> [Action] {
        state = .bound(lease)
        return [.configure(lease), .armTimer(.seconds(Int64(max(30, lease.leaseSeconds / 2))))]
    }

    /// Renews by unicast in the first half of what remains, by broadcast after it (RFC 2131 §4.4.5).
    private mutating func renew(_ lease: LeaseConfiguration, remaining: UInt32) -> [Action] {
        let wait = min(remaining, max(30, remaining / 2))
        state = .renewing(lease, remaining: remaining - wait)
        var message = message(.request)
        message.ciaddr = lease.address
        let action: Action =
            remaining > lease.leaseSeconds / 8 ? .unicast(message, to: lease.server) : .broadcast(message)
        return [action, .armTimer(.seconds(Int64(wait)))]
    }

    private func message(_ type: MessageType) -> Message {
        var message = Message(operation: .request, xid: xid, chaddr: mac.bytes)
        message.flags = Message.broadcastFlag
        message.type = type
        message.set(.vendorClass, text: vendorClass)
        message.options[.clientIdentifier] = [1] + mac.bytes
        message.options[.parameterRequestList] = [1, 3, 6, 26, 28, 51, 54, 58, 59, 121]
        return message
    }

    private func isMine(_ message: Message) -> Bool {
        message.operation == .reply && message.xid == xid && message.chaddr.starts(with: mac.bytes)
    }

    /// 1, 2, 4, 8 and then every 8 seconds, a tenth more or less.
    private mutating func wait(_ tries: Int) -> Duration {
        jitter = jitter &* 1_664_525 &+ 1_013_904_223
        let base = 1000 << min(tries, 3)
        return .milliseconds(base + Int(jitter >> 16) % (base / 5) - base / 10)
    }
}
