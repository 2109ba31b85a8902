import DHCP
import FoundationEssentials
import Inventory
import Machines
import NetworkAddresses

/// Tells the trace of a boot what was asked and answered by DHCP.
struct DHCPTrace: Sendable {
    let director: any NetworkBootDirector

    /// - Parameter givenByOther: the address in it is another server's, and this is where it is seen.
    func asked(_ request: Message, _ client: BootClient, _ now: Date, givenByOther: Bool) {
        let step: BootTraceEvent.Step =
            request.type == .discover
            ? .discover(stage: client.stage, architecture: client.architecture) : .request(stage: client.stage)
        var address: IPv4Address?
        if givenByOther, request.type == .request {
            address = request.ciaddr == .unspecified ? request.requestedAddress : request.ciaddr
        }
        director.record(
            BootTraceEvent(
                time: now, mac: client.mac, address: address, location: request.relayInformation?.location, step: step))
    }

    func stumbled(_ client: BootClient, _ trouble: BootTrouble, _ now: Date) {
        director.record(BootTraceEvent(time: now, mac: client.mac, step: .trouble(trouble)))
    }

    func answered(_ reply: Reply, _ client: BootClient, _ now: Date, form: ProxyForm? = nil) {
        BootMetrics.noteReply(reply.message.type)
        let address = reply.message.yiaddr == .unspecified ? nil : reply.message.yiaddr
        let file = reply.message.options.value(.bootFileName).map { String(decoding: $0, as: UTF8.self) }
        switch reply.message.type {
        case .offer: offered(client, now, address: address, file: file, form)
        case .ack:
            director.record(
                BootTraceEvent(time: now, mac: client.mac, step: .acknowledge(address: address, file: file)))
        default: break
        }
    }

    /// Asked as others did before, and answered as they were.
    func answered(_ match: OfferCache.Match, _ offer: OfferCache.Offer, _ told: BootInstruction, _ now: Date) {
        BootMetrics.noteReply(.offer)
        let client = match.client
        director.record(
            BootTraceEvent(
                time: now, mac: client.mac, location: match.entry.location,
                step: .discover(stage: client.stage, architecture: client.architecture)))
        offered(client, now, address: nil, file: offer.file, told.proxyForm)
    }

    private func offered(_ client: BootClient, _ now: Date, address: IPv4Address?, file: String?, _ form: ProxyForm?) {
        // Forms are for PXE firmware beside another server; UEFI HTTP boot and iPXE know one.
        let isForm = address == nil && client.stage == .firmware && client.architecture?.isHTTP != true
        director.record(
            BootTraceEvent(
                time: now, mac: client.mac, step: .offer(address: address, file: file, form: isForm ? form : nil)))
    }
}
