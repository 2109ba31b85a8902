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
    private let logger: Logger
    private let now: @Sendable () -> Date
    private var malformed = MalformedLog(service: "dhcp")
    private var unserved = UnservedLog()
    private var buckets: TokenBuckets<MACAddress>

    init(
        _ served: [DHCPServer.Served], buckets: TokenBuckets<MACAddress>, director: any NetworkBootDirector,
        logger: Logger,
        now: @escaping @Sendable () -> Date
    ) {
        table = SubnetTable(subnets: served.map(\.responder.subnet))
        (responders, journals) = (served.map(\.responder), served.map(\.journal))
        (self.buckets, self.director, self.logger, self.now) = (buckets, director, logger, now)
    }

    /// - Parameter send: called with the answer, at once or when its lease is durable, on whatever thread; not at all when there
    ///   is none.
    func take(
        _ bytes: [UInt8], _ arrival: Arrival, send: @escaping @Sendable (Reply) -> Void
    ) {
        BootMetrics.dhcpPackets.increment()
        let request: Message
        do {
            request = try Message(parsing: bytes)
        } catch {
            malformed.note(from: "\(arrival.source.address)", "\(error)", logger: logger)
            return
        }
        guard let index = table.index(of: request, interface: arrival.interface), let client = request.bootClient()
        else {
            return
        }
        // Our own look for other servers is none of our clients.
        guard client.mac != DHCPProbe.mac else { return }
        let now = now()
        guard buckets.admit(client.mac, now: now) else { return BootMetrics.dhcpLimited.increment() }
        let told = director.instruction(for: client)
        let troubles = self.troubles(of: request, client, told, responders[index])
        let outcome = responders[index].handle(request, arrival, told: told, now: now)
        // A request that is meant for another server says which address the client got from it.
        let foreign =
            outcome.isSilence && responders[index].subnet.isProxy && request.type == .request && told.action != .ignore
        if !outcome.isSilence || foreign || !troubles.isEmpty {
            trace(request, client, now, givenByOther: outcome.lease == nil && responders[index].subnet.isProxy)
        }
        for trouble in troubles + [outcome.trouble].compactMap({ $0 }) {
            director.record(BootTraceEvent(time: now, mac: client.mac, step: .trouble(trouble)))
        }
        guard let lease = outcome.lease, let journal = journals[index] else {
            if let reply = outcome.reply { dispatch(reply, client, told.proxyForm, now, send) }
            return
        }
        let (director, logger, clock) = (director, logger, self.now)
        // Only the ACK waits for the disk; the next packet does not.
        journal.append(lease) { result in
            switch result {
            case .success:
                guard let reply = outcome.reply else { return }
                send(reply)
                Self.trace(reply, client, director, clock())
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

    private func dispatch(
        _ reply: Reply, _ client: BootClient, _ form: ProxyForm, _ now: Date, _ send: (Reply) -> Void
    ) {
        send(reply)
        Self.trace(reply, client, director, now, form: form)
    }

    private func trace(_ request: Message, _ client: BootClient, _ now: Date, givenByOther: Bool) {
        let step: BootTraceEvent.Step =
            request.type == .discover
            ? .discover(stage: client.stage, architecture: client.architecture) : .request(stage: client.stage)
        // In proxy mode the address is another server's, and this is where it is seen.
        var address: IPv4Address?
        if givenByOther, request.type == .request {
            address = request.ciaddr == .unspecified ? request.requestedAddress : request.ciaddr
        }
        director.record(
            BootTraceEvent(
                time: now, mac: client.mac, address: address, location: request.relayInformation?.location, step: step))
    }

    private static func trace(
        _ reply: Reply, _ client: BootClient, _ director: any NetworkBootDirector, _ now: Date, form: ProxyForm? = nil
    ) {
        BootMetrics.noteReply(reply.message.type)
        let address = reply.message.yiaddr == .unspecified ? nil : reply.message.yiaddr
        let file = reply.message.options.value(.bootFileName).map { String(decoding: $0, as: UTF8.self) }
        switch reply.message.type {
        case .offer:
            // Forms are for PXE firmware beside another server; UEFI HTTP boot and iPXE know one.
            let isForm = address == nil && client.stage == .firmware && client.architecture?.isHTTP != true
            director.record(
                BootTraceEvent(
                    time: now, mac: client.mac,
                    step: .offer(address: address, file: file, form: isForm ? form : nil)))
        case .ack:
            director.record(
                BootTraceEvent(time: now, mac: client.mac, step: .acknowledge(address: address, file: file)))
        default: break
        }
    }
}
