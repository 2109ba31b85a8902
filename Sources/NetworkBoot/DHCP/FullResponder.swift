import DHCP
import FoundationEssentials
import Machines
import NetworkAddresses

/// Gives addresses from a pool and answers network boots, where no other DHCP server does. Pure: what must be durable before
/// the answer leaves is said beside it.
public struct FullResponder: Sendable {
    public struct Subnet: Equatable, Sendable {
        public var prefixLength: Int
        public var router: IPv4Address?
        public var nameServers: [IPv4Address]
        /// For agents and installed systems, in seconds.
        public var leaseSeconds: UInt32
        /// For firmware and iPXE, which are gone in minutes, in seconds.
        public var bootLeaseSeconds: UInt32

        public init(
            prefixLength: Int, router: IPv4Address?, nameServers: [IPv4Address], leaseSeconds: UInt32 = 3600,
            bootLeaseSeconds: UInt32 = 600
        ) {
            (self.prefixLength, self.router, self.nameServers) = (prefixLength, router, nameServers)
            (self.leaseSeconds, self.bootLeaseSeconds) = (leaseSeconds, bootLeaseSeconds)
        }

        var mask: IPv4Address { IPv4Address(rawValue: prefixLength == 0 ? 0 : ~UInt32(0) << UInt32(32 - prefixLength)) }

        func contains(_ address: IPv4Address, beside server: IPv4Address) -> Bool {
            address.rawValue & mask.rawValue == server.rawValue & mask.rawValue
        }
    }

    /// What to do for one packet.
    public struct Outcome: Equatable, Sendable {
        public var reply: Reply?
        /// Must be durable before the reply leaves.
        public var lease: Lease?

        static let silence = Outcome(reply: nil, lease: nil)
    }

    public let server: IPv4Address
    public let files: BootFiles
    public let subnet: Subnet
    public private(set) var pool: LeasePool

    public init(server: IPv4Address, files: BootFiles, subnet: Subnet, pool: LeasePool) {
        (self.server, self.files, self.subnet, self.pool) = (server, files, subnet, pool)
    }

    public mutating func handle(_ request: Message, action: BootAction, now: Date) -> Outcome {
        guard request.operation == .request, let mac = request.mac, !mac.isMulticast, action != .ignore else {
            return .silence
        }
        switch request.type {
        case .discover: return discover(request, mac, now)
        case .request: return self.request(request, mac, now)
        case .release:
            return Outcome(reply: nil, lease: pool.release(request.ciaddr, by: mac, now: now))
        case .decline:
            guard let address = request.requestedAddress else { return .silence }
            return Outcome(reply: nil, lease: pool.decline(address, by: mac, now: now))
        case .inform:
            var ack = answer(.ack, to: request)
            // The client has an address of its own, which is not ours to time (RFC 2131 §4.3.5).
            for code in [OptionCode.leaseTime, .renewalTime, .rebindingTime] { ack.options[code] = nil }
            return Outcome(reply: Reply(message: ack, destination: Reply.destination(of: request)), lease: nil)
        default: return .silence
        }
    }

    private mutating func discover(_ request: Message, _ mac: MACAddress, _ now: Date) -> Outcome {
        guard let address = pool.offer(to: mac, wanting: request.requestedAddress, now: now) else { return .silence }
        var offer = answer(.offer, to: request)
        offer.yiaddr = address
        return Outcome(reply: Reply(message: offer, destination: Reply.destination(of: request)), lease: nil)
    }

    /// The four kinds of REQUEST of RFC 2131 §4.3.2.
    private mutating func request(_ request: Message, _ mac: MACAddress, _ now: Date) -> Outcome {
        if let chosen = request.serverIdentifier, chosen != server {
            pool.withdrawOffer(to: mac)
            return .silence
        }
        let renewing = request.ciaddr != .unspecified
        guard let address = renewing ? request.ciaddr : request.requestedAddress else { return .silence }
        guard subnet.contains(address, beside: server) else { return nak(request, "\(address) is not of this network") }
        let seconds = request.isNetworkBoot ? subnet.bootLeaseSeconds : subnet.leaseSeconds
        if request.serverIdentifier == nil {
            // Restarting, renewing or rebinding: a client we know nothing of may be another server's; only the one that holds
            // a lease here, or asks for what is free in our pool, is ours.
            if let lease = pool.lease(of: mac), lease.address != address {
                return nak(request, "\(address) is not its address")
            }
            guard pool.range.contains(address) else { return .silence }
        }
        guard let lease = pool.lease(address, to: mac, seconds: Double(seconds), now: now) else {
            return nak(request, "\(address) is taken")
        }
        var ack = answer(.ack, to: request)
        ack.yiaddr = address
        ack.ciaddr = request.ciaddr
        return Outcome(reply: Reply(message: ack, destination: Reply.destination(of: request)), lease: lease)
    }

    private func answer(_ type: MessageType, to request: Message) -> Message {
        var reply = request.answer(type, from: server)
        let seconds = request.isNetworkBoot ? subnet.bootLeaseSeconds : subnet.leaseSeconds
        reply.set(.leaseTime, seconds: seconds)
        reply.set(.renewalTime, seconds: seconds / 2)
        reply.set(.rebindingTime, seconds: seconds / 8 * 7)
        reply.set(.subnetMask, [subnet.mask])
        reply.set(.broadcastAddress, [IPv4Address(rawValue: server.rawValue | ~subnet.mask.rawValue)])
        if let router = subnet.router { reply.set(.router, [router]) }
        reply.set(.domainNameServer, subnet.nameServers)
        if let file = files.file(for: request) { reply.offer(bootFile: file, to: request, server: server) }
        reply.options[.relayAgentInformation] = request.options[.relayAgentInformation]
        return reply
    }

    /// A NAK goes by broadcast, since the client's address is wrong (RFC 2131 §4.3.2).
    private func nak(_ request: Message, _ why: String) -> Outcome {
        var nak = request.answer(.nak, from: server)
        nak.set(.message, text: why)
        nak.options[.relayAgentInformation] = request.options[.relayAgentInformation]
        let destination: Reply.Destination =
            request.giaddr == .unspecified ? .broadcast : .unicast(request.giaddr, port: 67)
        return Outcome(reply: Reply(message: nak, destination: destination), lease: nil)
    }
}
