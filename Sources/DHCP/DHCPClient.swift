import NetworkAddresses

/// A DHCP client (RFC 2131 §4.4) as a state machine: no socket, no clock. It never gives up: a switch port may hold back
/// packets for a minute of spanning tree, and a server may come back after an hour.
public struct DHCPClient: Sendable {
    public enum Event: Sendable {
        case started
        case received(Message)
        case timerFired
    }

    public enum Action: Equatable, Sendable {
        /// Words for whoever stands before the machine.
        case tell(String)
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
        /// Asks for more time; `age` seconds since the ACK.
        case renewing(LeaseConfiguration, age: Int64)
    }

    private var state = State.idle
    private let mac: MACAddress
    private let former: IPv4Address?
    private let vendorClass: String
    private var xid: UInt32
    private var jitter: UInt32
    /// Since it began to ask for an address, as option `secs` tells servers: a second server of a pair, and some relays, answer
    /// only a client that has waited a while.
    private var waited = Duration.zero
    /// The wait that the next ``Event/timerFired`` ends.
    private var armed = Duration.zero

    /// - Parameters:
    ///   - former: the address the firmware had, asked for first.
    ///   - seed: a random number, for transaction ids and waits.
    public init(mac: MACAddress, former: IPv4Address?, vendorClass: String, seed: UInt32) {
        (self.mac, self.former, self.vendorClass) = (mac, former, vendorClass)
        (xid, jitter) = (seed, seed)
    }

    public mutating func handle(_ event: Event) -> [Action] {
        if case .timerFired = event { waited += armed }
        switch (state, event) {
        case (.idle, .started):
            guard let former else { return discover(tries: 0) }
            return reboot(former, tries: 0)
        case (.rebooting(let address, let tries), .timerFired):
            return tries < 2 ? reboot(address, tries: tries + 1) : discover(tries: 0)
        case (.rebooting(let address, _), .received(let message)),
            (.requesting(let address, _, _), .received(let message)):
            guard isMine(message) else { return [] }
            if message.type == .nak { return [refusal(message, of: address)] + discover(tries: 0) }
            guard message.type == .ack, let lease = LeaseConfiguration(message) else { return [] }
            return bind(lease)
        case (.discovering, .received(let message)):
            guard isMine(message), message.type == .offer, message.yiaddr != .unspecified,
                let server = message.serverIdentifier
            else { return [] }
            return request(message.yiaddr, server, tries: 0)
        case (.discovering(let tries), .timerFired): return silence(tries: tries + 1) + discover(tries: tries + 1)
        case (.requesting(let address, let server, let tries), .timerFired):
            return tries < 3 ? request(address, server, tries: tries + 1) : discover(tries: 0)
        case (.bound(let lease), .timerFired): return renew(lease, age: lease.renewalSeconds)
        case (.renewing(let lease, _), .received(let message)):
            guard isMine(message) else { return [] }
            if message.type == .nak {
                return [refusal(message, of: lease.address), .deconfigure] + discover(tries: 0)
            }
            guard message.type == .ack, let renewed = LeaseConfiguration(message), renewed.address == lease.address
            else { return [] }
            return bind(renewed)
        case (.renewing(let lease, let age), .timerFired):
            guard age < lease.leaseSeconds else {
                return [.tell("nobody renewed the lease of \(lease.address)"), .deconfigure] + discover(tries: 0)
            }
            return renew(lease, age: age)
        case (.idle, _), (_, .started), (.bound, .received): return []
        }
    }

    private func refusal(_ nak: Message, of address: IPv4Address) -> Action {
        let server = nak.serverIdentifier.map { "\($0)" } ?? "a DHCP server"
        return .tell("\(server) refused the address \(address); asking for another")
    }

    /// Told after 15 seconds, and then less and less often.
    private func silence(tries: Int) -> [Action] {
        guard tries >= 4, tries & (tries - 1) == 0 else { return [] }
        return [
            .tell(
                "no DHCP server has answered for \(waited.components.seconds) s; is the switch port in the right VLAN, is slipwayd running?"
            )
        ]
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
        (waited, armed) = (.zero, .zero)
        return [.configure(lease), .armTimer(.seconds(max(1, lease.renewalSeconds)))]
    }

    /// Asks the lease's server until T2 and any server after it, each time when half of what is left has passed (RFC 2131 §4.4.5).
    private mutating func renew(_ lease: LeaseConfiguration, age: Int64) -> [Action] {
        let rebinding = age >= lease.rebindingSeconds
        let end = rebinding ? lease.leaseSeconds : lease.rebindingSeconds
        let wait = max(1, min(end - age, max(10, (end - age) / 2)))
        state = .renewing(lease, age: age + wait)
        var message = message(.request)
        message.ciaddr = lease.address
        let action: Action = rebinding ? .broadcast(message) : .unicast(message, to: lease.server)
        return [action, .armTimer(.seconds(wait))]
    }

    private func message(_ type: MessageType) -> Message {
        var message = Message(operation: .request, xid: xid, chaddr: mac.bytes)
        message.flags = Message.broadcastFlag
        message.secs = UInt16(clamping: waited.components.seconds)
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
        let wait = Duration.milliseconds(base + Int(jitter >> 16) % (base / 5) - base / 10)
        armed = wait
        return wait
    }
}
