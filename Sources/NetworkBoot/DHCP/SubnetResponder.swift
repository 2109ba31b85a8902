import DHCP
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses

/// How a packet came.
public struct Arrival: Equatable, Sendable {
    public enum Port: Sendable {
        /// UDP 67.
        case server
        /// UDP 4011: REQUESTs of firmware that has its address from another server.
        case proxy
    }

    public var port: Port
    /// Interface; nil where packets of all are heard together.
    public var interface: String?
    /// Firmware on 4011 expects its answer where it asked from, which is port 4011 for OVMF and 68 for iPXE.
    public var source: (address: IPv4Address, port: Int)

    public init(port: Port, interface: String? = nil, source: (address: IPv4Address, port: Int)) {
        (self.port, self.interface, self.source) = (port, interface, source)
    }

    public static func == (left: Self, right: Self) -> Bool {
        left.port == right.port && left.interface == right.interface && left.source == right.source
    }
}

/// What to do for one packet.
public struct Outcome: Equatable, Sendable {
    public var reply: Reply?
    /// Must be durable before the reply leaves.
    public var lease: Lease?
    /// For the trace.
    public var trouble: BootTrouble?

    static let silence = Outcome(reply: nil, lease: nil)

    var isSilence: Bool { reply == nil && lease == nil && trouble == nil }
}

/// Answers the machines of one subnet: an address, a boot file, or both. Pure: what must be durable before the answer leaves is
/// said beside it.
public struct SubnetResponder: Sendable {
    public let subnet: Subnet
    public let files: BootFiles
    public private(set) var pool: LeasePool
    private let reservations: [Subnet.Reservation.Key: Subnet.Reservation]

    public init(_ subnet: Subnet, files: BootFiles, leases: [Lease] = []) {
        (self.subnet, self.files) = (subnet, files)
        reservations = Dictionary(subnet.reservations.map { ($0.key, $0) }) { first, _ in first }
        pool = LeasePool(ranges: subnet.pools, reserved: Set(subnet.reservations.map(\.address)), leases: leases)
    }

    /// - Parameter told: what this machine is to boot; one that is ignored is told nothing about booting.
    public mutating func handle(
        _ request: Message, _ arrival: Arrival, told: BootInstruction, now: Date
    ) -> Outcome {
        guard request.operation == .request, let mac = request.mac, !mac.isMulticast, subnet.mode != .off else {
            return .silence
        }
        let reservation = reservation(for: request, mac)
        if arrival.port == .server, givesAddress(reservation, told.action) {
            return address(request, mac, reservation, told, now)
        }
        guard subnet.isProxy, told.action != .ignore else { return .silence }
        return Outcome(reply: proxyReply(to: request, arrival, told), lease: nil)
    }

    /// See ``LeasePool/unprobed(_:now:)``.
    mutating func unprobed(_ count: Int, now: Date) -> [IPv4Address] { pool.unprobed(count, now: now) }

    /// See ``LeasePool/note(probed:inUse:now:)``.
    mutating func note(probed addresses: [IPv4Address], inUse: Set<IPv4Address>, now: Date) {
        pool.note(probed: addresses, inUse: inUse, now: now)
    }

    /// By client identifier first: somebody wrote it down on purpose.
    private func reservation(for request: Message, _ mac: MACAddress) -> Subnet.Reservation? {
        request.options[.clientIdentifier].flatMap { reservations[.clientID($0)] } ?? reservations[.mac(mac)]
    }

    private func givesAddress(_ reservation: Subnet.Reservation?, _ action: BootAction) -> Bool {
        switch subnet.mode {
        // Whoever has a reservation is given it, whatever Slipway thinks of it: it may be a BMC or a switch.
        case .pool: reservation != nil || action != .ignore
        case .reservation, .auto: reservation != nil
        case .proxy, .off: false
        }
    }

    // MARK: Addresses

    private mutating func address(
        _ request: Message, _ mac: MACAddress, _ reservation: Subnet.Reservation?, _ told: BootInstruction, _ now: Date
    ) -> Outcome {
        let own = reservation?.address
        switch request.type {
        case .discover:
            guard let address = pool.offer(to: mac, reserved: own, wanting: request.requestedAddress, now: now) else {
                return Outcome(reply: nil, lease: nil, trouble: .noFreeAddress)
            }
            var offer = answer(.offer, to: request, reservation, told)
            offer.yiaddr = address
            return Outcome(reply: Reply(message: offer, destination: Reply.destination(of: request)), lease: nil)
        case .request: return self.request(request, mac, reservation, told, now)
        case .release: return Outcome(reply: nil, lease: pool.release(request.ciaddr, by: mac, now: now))
        case .decline:
            guard let address = request.requestedAddress else { return .silence }
            return Outcome(
                reply: nil, lease: pool.decline(address, by: mac, now: now), trouble: .addressInUse(address))
        case .inform:
            var ack = answer(.ack, to: request, reservation, told)
            // The client has an address of its own, which is not ours to time (RFC 2131 §4.3.5).
            for code in [OptionCode.leaseTime, .renewalTime, .rebindingTime] { ack.options[code] = nil }
            return Outcome(reply: Reply(message: ack, destination: Reply.destination(of: request)), lease: nil)
        default: return .silence
        }
    }

    /// The four kinds of REQUEST of RFC 2131 §4.3.2.
    private mutating func request(
        _ request: Message, _ mac: MACAddress, _ reservation: Subnet.Reservation?, _ told: BootInstruction, _ now: Date
    ) -> Outcome {
        if let chosen = request.serverIdentifier, chosen != subnet.server,
            chosen != request.relayInformation?.serverOverride
        {
            pool.withdrawOffer(to: mac)
            return Outcome(reply: nil, lease: nil, trouble: .chose(server: chosen))
        }
        let isRenewal = request.ciaddr != .unspecified
        guard let address = isRenewal ? request.ciaddr : request.requestedAddress else { return .silence }
        guard subnet.network?.contains(address) ?? false else {
            return nak(request, address, "\(address) is not of this network")
        }
        let own = reservation?.address
        if request.serverIdentifier == nil {
            // Restarting, renewing or rebinding: a client we know nothing of may be another server's; only the one that holds
            // a lease here, or asks for what is free in our pool, is ours.
            if let right = own ?? pool.lease(of: mac)?.address, right != address {
                return nak(request, address, "\(address) is not its address")
            }
            guard pool.mayHave(address, reserved: own) else { return .silence }
        }
        let seconds = leaseSeconds(request)
        guard let lease = pool.lease(address, to: mac, reserved: own, seconds: Double(seconds), now: now) else {
            return nak(request, address, "\(address) is taken")
        }
        var ack = answer(.ack, to: request, reservation, told)
        ack.yiaddr = address
        ack.ciaddr = request.ciaddr
        return Outcome(reply: Reply(message: ack, destination: Reply.destination(of: request)), lease: lease)
    }

    private func leaseSeconds(_ request: Message) -> UInt32 {
        request.isNetworkBoot ? subnet.bootLeaseSeconds : subnet.leaseSeconds
    }

    private func answer(
        _ type: MessageType, to request: Message, _ reservation: Subnet.Reservation?, _ told: BootInstruction
    ) -> Message {
        var reply = request.answer(type, from: subnet.server)
        let seconds = leaseSeconds(request)
        reply.set(.leaseTime, seconds: seconds)
        reply.set(.renewalTime, seconds: seconds / 2)
        reply.set(.rebindingTime, seconds: seconds / 8 * 7)
        if let network = subnet.network {
            reply.set(.subnetMask, [network.mask])
            reply.set(.broadcastAddress, [network.broadcast])
        }
        if let router = subnet.router { reply.set(.router, [router]) }
        reply.set(.domainNameServer, subnet.nameServers)
        if let domain = subnet.domainName { reply.set(.domainName, text: domain) }
        if let name = reservation?.hostName { reply.set(.hostName, text: name) }
        if let mtu = subnet.mtu { reply.options[.interfaceMTU] = [UInt8(mtu >> 8), UInt8(mtu & 0xff)] }
        if told.action != .ignore, let file = files.file(for: request, told.program, server: subnet.server) {
            reply.offer(bootFile: file, to: request, server: subnet.server)
            if files.namesLogServer { reply.set(.logServer, [subnet.server]) }
        }
        return reply.echoingRelay(of: request)
    }

    /// A NAK goes by broadcast, since the client's address is wrong (RFC 2131 §4.3.2).
    private func nak(_ request: Message, _ address: IPv4Address, _ why: String) -> Outcome {
        var nak = request.answer(.nak, from: subnet.server)
        nak.set(.message, text: why)
        let destination: Reply.Destination =
            request.giaddr == .unspecified ? .broadcast : .unicast(request.giaddr, port: 67)
        return Outcome(
            reply: Reply(message: nak.echoingRelay(of: request), destination: destination), lease: nil,
            trouble: .refusedAddress(address, reason: why))
    }

    // MARK: Boot answers beside another server

    private func proxyReply(to request: Message, _ arrival: Arrival, _ told: BootInstruction) -> Reply? {
        // GRUB asks the server that gave the address for its configuration. Where nothing else can be run it is worth a try.
        let program = told.program == .grub ? .standard : told.program
        guard request.isNetworkBoot, let file = files.file(for: request, program, server: subnet.server) else {
            return nil
        }
        switch (arrival.port, request.type) {
        case (.server, .discover):
            var offer = request.answer(.offer, from: subnet.server)
            offer.offer(bootFile: file, to: request, server: subnet.server)
            offer.markProxy(for: request, request.isIPXE ? .oneExchange : told.proxyForm, server: subnet.server)
            return Reply(message: offer.echoingRelay(of: request), destination: Reply.destination(of: request))
        case (.proxy, .request), (.proxy, .inform), (.proxy, .discover):
            var ack = request.answer(.ack, from: subnet.server)
            ack.ciaddr = request.ciaddr
            ack.offer(bootFile: file, to: request, server: subnet.server)
            ack.markBootServer(for: request)
            let address = arrival.source.address == .unspecified ? request.ciaddr : arrival.source.address
            guard address != .unspecified else { return Reply(message: ack, destination: .broadcast) }
            return Reply(message: ack, destination: .unicast(address, port: arrival.source.port))
        default: return nil
        }
    }
}
