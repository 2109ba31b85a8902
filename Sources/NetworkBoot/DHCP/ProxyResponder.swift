import DHCP
import Machines
import NetworkAddresses

/// Answers network boots beside another DHCP server, which gives the addresses. Pure.
public struct ProxyResponder: Sendable {
    public enum Port: Sendable {
        /// UDP 67: DISCOVERs.
        case server
        /// UDP 4011: REQUESTs of firmware that has its address.
        case proxy
    }

    public var server: IPv4Address
    public var files: BootFiles

    public init(server: IPv4Address, files: BootFiles) { (self.server, self.files) = (server, files) }

    /// The answer; nil: silence, to everything that is not a network boot of a machine we serve.
    /// - Parameter source: where the packet came from: firmware on 4011 expects its answer where it asked from, which is port
    ///   4011 for OVMF and 68 for iPXE.
    public func reply(
        to request: Message, on port: Port, from source: (address: IPv4Address, port: Int), action: BootAction
    ) -> Reply? {
        guard request.operation == .request, action != .ignore, request.isNetworkBoot,
            let file = files.file(for: request)
        else {
            return nil
        }
        switch (port, request.type) {
        case (.server, .discover):
            var offer = request.answer(.offer, from: server)
            offer.offer(bootFile: file, to: request, server: server)
            offer.markProxy(for: request)
            offer.options[.relayAgentInformation] = request.options[.relayAgentInformation]
            return Reply(message: offer, destination: Reply.destination(of: request))
        case (.proxy, .request), (.proxy, .inform), (.proxy, .discover):
            var ack = request.answer(.ack, from: server)
            ack.ciaddr = request.ciaddr
            ack.offer(bootFile: file, to: request, server: server)
            ack.markProxy(for: request)
            let address = source.address == .unspecified ? request.ciaddr : source.address
            guard address != .unspecified else { return Reply(message: ack, destination: .broadcast) }
            return Reply(message: ack, destination: .unicast(address, port: source.port))
        default:
            return nil
        }
    }
}
