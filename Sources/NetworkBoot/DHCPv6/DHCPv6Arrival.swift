import DHCP
import Inventory
import Machines
import NetworkAddresses
import WireBytes

/// A client's message, taken out of the envelopes of the relays that it came through, and the way back. Pure.
struct DHCPv6Arrival: Equatable, Sendable {
    var message: DHCPv6Message
    /// The client's own address on its link.
    var peer: IPv6Address
    /// An address of the client's link, as the relay next to it told; nil: it came from the link of the interface.
    var link: IPv6Address?
    /// The outermost first.
    private var relays: [DHCPv6RelayMessage] = []

    /// Envelopes within envelopes (RFC 8415 §7.6, HOP_COUNT_LIMIT).
    static let maximumHops = 8

    /// - Parameter source: where the datagram came from.
    init(parsing datagram: [UInt8], from source: IPv6Address) throws(WireError) {
        var (bytes, peer, link) = (datagram, source, IPv6Address?.none)
        while bytes.first == DHCPv6MessageType.relayForward.rawValue, relays.count < Self.maximumHops {
            let relay = try DHCPv6RelayMessage(parsing: bytes)
            relays.append(relay)
            bytes = relay.options[.relayMessage] ?? []
            peer = relay.peer
            if relay.link != .unspecified { link = relay.link }
        }
        message = try DHCPv6Message(parsing: bytes)
        (self.peer, self.link) = (peer, link)
    }

    /// The client's MAC: as the relay says, by the address it made of it, or by its identifier, in that order of trust.
    var mac: MACAddress? {
        let found =
            relays.last?.options.relayedMAC ?? (peer.isLinkLocal ? peer.hardwareAddress : nil)
            ?? message.options.identifierMAC
        return found.flatMap { $0.isMulticast ? nil : $0 }
    }

    /// The answer in the envelopes that lead back.
    func datagram(_ answer: DHCPv6Message) -> [UInt8] {
        relays.reversed().reduce(answer.encoded) { $1.reply(with: $0).encoded }
    }

    var isRelayed: Bool { !relays.isEmpty }

    /// The client as the boot director sees it.
    func bootClient(_ mac: MACAddress) -> BootClient {
        let options = message.options
        return BootClient(
            mac: mac, uuid: options.machineUUID.flatMap { SystemUUID(smbios: $0) }, architecture: options.architecture,
            stage: options.isIPXE ? .ipxe : options.isNetworkBoot ? .firmware : .system, isIPv6: true)
    }
}
