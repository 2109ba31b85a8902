import CoreMetrics
import DHCP
import FoundationEssentials
import Inventory
import Logging
import Machines
import NIOCore
import NetworkAddresses

/// Takes in packets of all sockets, decides, and says what to send. Lives on one event loop.
final class DHCPDesk {
    private let table: SubnetTable
    private var responders: [SubnetResponder]
    private let journals: [LeaseJournal?]
    private let director: any NetworkBootDirector
    private let trace: DHCPTrace
    private let logger: Logger
    private let now: @Sendable () -> Date
    private var malformed = MalformedLog(service: "dhcp")
    private var unserved = UnservedLog()
    private var buckets: TokenBuckets<MACAddress>
    private var offers = OfferCache()

    init(
        _ served: [DHCPServer.Served], buckets: TokenBuckets<MACAddress>, director: any NetworkBootDirector,
        logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        table = SubnetTable(subnets: served.map(\.responder.subnet))
        (responders, journals) = (served.map(\.responder), served.map(\.journal))
        (self.buckets, self.director, self.logger, self.now) = (buckets, director, logger, now)
        trace = DHCPTrace(director: director)
    }

    /// - Parameter send: called with the answer, at once or when its lease is durable, on whatever thread; not at all when there
    ///   is none.
    func take(_ bytes: [UInt8], _ arrival: Arrival, send: @escaping @Sendable (ReplyPacket) -> Void) {
        BootMetrics.dhcpPackets.increment()
        let now = now()
        if arrival.port == .server, let match = offers.match(bytes, interface: arrival.interface) {
            guard admit(match.client, now) else { return }
            let told = director.instruction(for: match.client)
            if let offer = match.offer(told) {
                send(match.packet(offer, answering: bytes))
                return trace.answered(match, offer, told, now)
            }
            guard let request = read(bytes, arrival) else { return }
            return answer(request, match.client, told, bytes, arrival, now, send)
        }
        guard let request = read(bytes, arrival), let client = request.bootClient(), admit(client, now) else { return }
        answer(request, client, director.instruction(for: client), bytes, arrival, now, send)
    }

    private func read(_ bytes: [UInt8], _ arrival: Arrival) -> Message? {
        do {
            return try Message(parsing: bytes)
        } catch {
            malformed.note(from: "\(arrival.source.address)", "\(error)", logger: logger)
            return nil
        }
    }

    private func admit(_ client: BootClient, _ now: Date) -> Bool {
        // Our own look for other servers is none of our clients.
        guard client.mac != DHCPProbe.mac else { return false }
        guard buckets.admit(client.mac, now: now) else {
            BootMetrics.dhcpLimited.increment()
            return false
        }
        return true
    }

    private func answer(
        _ request: Message, _ client: BootClient, _ told: BootInstruction, _ bytes: [UInt8], _ arrival: Arrival,
        _ now: Date, _ send: @escaping @Sendable (ReplyPacket) -> Void
    ) {
        guard let index = table.index(of: request, interface: arrival.interface) else { return }
        let troubles = self.troubles(of: request, client, told, responders[index])
        let outcome = responders[index].handle(request, arrival, told: told, now: now)
        // A request that is meant for another server says which address the client got from it.
        let foreign =
            outcome.isSilence && responders[index].subnet.isProxy && request.type == .request && told.action != .ignore
        if !outcome.isSilence || foreign || !troubles.isEmpty {
            trace.asked(request, client, now, givenByOther: outcome.lease == nil && responders[index].subnet.isProxy)
        }
        for trouble in troubles + [outcome.trouble].compactMap({ $0 }) {
            trace.stumbled(client, trouble, now)
        }
        guard let lease = outcome.lease, let journal = journals[index] else {
            guard let reply = outcome.reply else { return }
            let packet = reply.packet
            send(packet)
            trace.answered(reply, client, now, form: told.proxyForm)
            if responders[index].subnet.mode == .proxy, reply.message.type == .offer, client.stage == .firmware {
                offers.keep(reply, packet, to: bytes, request, interface: arrival.interface, client, told: told)
            }
            return
        }
        let (trace, logger, clock) = (trace, logger, self.now)
        // Only the ACK waits for the disk; the next packet does not.
        journal.append(lease) { result in
            switch result {
            case .success:
                guard let reply = outcome.reply else { return }
                send(reply.packet)
                trace.answered(reply, client, clock())
            case .failure(let error):
                logger.error(
                    "no ACK: the lease is not durable", metadata: ["mac": "\(client.mac)", "error": "\(error)"])
            }
        }
    }

    /// Addresses of a subnet that are worth a probe now.
    func unprobed(_ index: Int) -> [IPv4Address] { responders[index].unprobed(Self.probesAtOnce, now: now()) }

    func note(probed addresses: [IPv4Address], inUse: [IPv4Address: MACAddress?], _ index: Int) {
        responders[index].note(probed: addresses, inUse: Set(inUse.keys), now: now())
        for (address, mac) in inUse {
            logger.warning(
                "an address of the pool is in use by somebody else, and not given away",
                metadata: ["address": "\(address)", "mac": "\(mac?.description ?? "unknown")"])
        }
    }

    static let probesAtOnce = 16

    /// What will not go well, whatever is answered.
    private func troubles(
        of request: Message, _ client: BootClient, _ told: BootInstruction, _ responder: SubnetResponder
    ) -> [BootTrouble] {
        guard request.type == .discover, request.isNetworkBoot, responder.subnet.mode != .off else { return [] }
        if told.action == .ignore { return [.ignored] }
        var found: [BootTrouble] = []
        if let question = request.bootQuestion, !responder.files.hasProgram(for: question, told.program) {
            unserved.note(question, logger: logger)
            found.append(.noProgram((client.architecture ?? .biosX86).withoutHTTP))
        }
        if client.stage == .ipxe, request.ipxeLacksHTTP { found.append(.noHTTP) }
        return found
    }
}
