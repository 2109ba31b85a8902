import CoreMetrics
import DHCP
import FoundationEssentials
import Logging
import Machines
import NIOCore
import NetworkAddresses

/// Takes in DHCPv6 packets of all sockets, decides, and sends. Lives on one event loop.
final class DHCPv6Desk {
    private var responders: [DHCPv6Responder]
    private let director: any NetworkBootDirector
    private let logger: Logger
    private let now: @Sendable () -> Date
    private var unserved = UnservedLog()
    private var malformed = MalformedLog(service: "dhcpv6")
    private var buckets: TokenBuckets<MACAddress>

    init(
        _ responders: [DHCPv6Responder], buckets: TokenBuckets<MACAddress>, director: any NetworkBootDirector,
        logger: Logger, now: @escaping @Sendable () -> Date
    ) {
        (self.responders, self.buckets, self.director) = (responders, buckets, director)
        (self.logger, self.now) = (logger, now)
    }

    /// - Returns: the datagram to send, and whether it goes to a relay; nil: silence.
    func take(
        _ bytes: [UInt8], from source: NetworkAddresses.IPv6Address, interface: String?
    ) -> (datagram: [UInt8], toRelay: Bool)? {
        BootMetrics.dhcpPackets.increment()
        let arrival: DHCPv6Arrival
        do {
            arrival = try DHCPv6Arrival(parsing: bytes, from: source)
        } catch {
            malformed.note(from: "\(source)", "\(error)", logger: logger)
            return nil
        }
        let index = responders.firstIndex { responder in
            arrival.link.map(responder.network.contains) ?? (responder.network.interface == interface)
        }
        guard let index else { return nil }
        // Where nothing tells the MAC there is nothing to boot, and an address is given as to any other host.
        let mac = arrival.mac
        let client = mac.map(arrival.bootClient)
        if let mac, !buckets.admit(mac, now: now()) {
            BootMetrics.dhcpLimited.increment()
            return nil
        }
        let told = client.map { director.instruction(for: $0) } ?? BootInstruction(.localDisk)
        let answer = responders[index].handle(arrival.message, mac: mac, told: told, now: now())
        if let client { trace(arrival.message, client, answer, told, responders[index]) }
        return answer.map { (arrival.datagram($0), arrival.isRelayed) }
    }

    private func trace(
        _ request: DHCPv6Message, _ client: BootClient, _ answer: DHCPv6Message?, _ told: BootInstruction,
        _ responder: DHCPv6Responder
    ) {
        // The end of an address is no step of a boot.
        let steps: [DHCPv6MessageType] = [.solicit, .request, .informationRequest]
        guard steps.contains(request.type), answer != nil || told.action == .ignore else { return }
        func record(_ step: BootTraceEvent.Step) {
            director.record(BootTraceEvent(time: now(), mac: client.mac, isIPv6: true, step: step))
        }
        let isQuestion = request.type == .solicit || request.type == .informationRequest
        record(
            isQuestion
                ? .discover(stage: client.stage, architecture: client.architecture) : .request(stage: client.stage))
        if isQuestion, client.stage == .firmware {
            if told.action == .ignore {
                record(.trouble(.ignored))
            } else if let question = request.options.bootQuestion(client.mac),
                !responder.files.hasProgram(for: question, told.program)
            {
                unserved.note(question, logger: logger)
                record(.trouble(.noProgram((client.architecture ?? .efiX64).withoutHTTP)))
            }
        }
        guard let answer else { return }
        let file = answer.options[.bootFileURL].map { String(decoding: $0, as: UTF8.self) }
        if answer.type == .advertise {
            BootMetrics.noteReply(.offer)
            record(.offer(address: nil, file: file))
        } else {
            BootMetrics.noteReply(.ack)
            record(.acknowledge(address: nil, file: file))
        }
    }
}
