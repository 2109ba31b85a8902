import DHCP
import Inventory
import Machines
import NetworkAddresses

/// An answer and where it goes.
public struct Reply: Equatable, Sendable {
    public enum Destination: Equatable, Sendable {
        /// 255.255.255.255, port 68. Also for clients that could take unicast: that needs an ARP entry for an address they do
        /// not have yet, and every client measured takes broadcast.
        case broadcast
        case unicast(IPv4Address, port: Int)
    }

    public var message: Message
    public var destination: Destination

    /// As it leaves.
    var packet: ReplyPacket {
        ReplyPacket(bytes: message.encoded, destination: destination, server: message.serverIdentifier)
    }

    /// RFC 2131 §4.1: relays first, then a client that has an address, then broadcast.
    static func destination(of request: Message) -> Destination {
        if request.giaddr != .unspecified { return .unicast(request.giaddr, port: 67) }
        if request.ciaddr != .unspecified { return .unicast(request.ciaddr, port: 68) }
        return .broadcast
    }
}

/// The UDP payload of an answer and where it goes.
struct ReplyPacket: Equatable, Sendable {
    var bytes: [UInt8]
    var destination: Reply.Destination
    /// Our address in it (option 54).
    var server: IPv4Address?
}

extension Message {
    /// The header of an answer to this message.
    func answer(_ type: MessageType, from server: IPv4Address) -> Message {
        var reply = Message(operation: .reply, xid: xid, chaddr: chaddr)
        reply.hardwareType = hardwareType
        reply.secs = secs
        reply.flags = flags
        reply.giaddr = giaddr
        reply.options.reserve(bytes: 256, options: 16)
        reply.type = type
        reply.set(.serverIdentifier, address: server)
        // RFC 4578 §2.3: echoed as it came.
        if let identifier = options.value(.machineIdentifier) { reply.options.set(.machineIdentifier, identifier) }
        return reply
    }

    /// Echoes option 82 as it came, as the last option (RFC 3046 §2.2), and takes the server's name that the relay asks for
    /// (RFC 5107 §4).
    func echoingRelay(of request: Message) -> Message {
        var reply = self
        if let override = request.relayInformation?.serverOverride { reply.set(.serverIdentifier, [override]) }
        if let relay = request.options.value(.relayAgentInformation) {
            reply.options.set(.relayAgentInformation, relay)
        }
        return reply
    }

    /// Adds the boot file in every place where some firmware looks for it.
    mutating func offer(bootFile file: String, to request: Message, server: IPv4Address) {
        siaddr = server
        if file.utf8.count <= 127 { self.file = Array(file.utf8) }
        set(.bootFileName, text: file)
        if request.isHTTPClient {
            set(.vendorClass, text: "HTTPClient")
        } else if !request.isIPXE {
            set(.tftpServerName, text: server.description)
        }
    }

    /// Marks a proxy's offer to PXE firmware, in one of the forms of PXE 2.1 §2.2.3. Without addresses of others to learn, the
    /// client is to broadcast to nobody (bits 0 and 1 of option 43.6).
    mutating func markProxy(for request: Message, _ form: ProxyForm, server: IPv4Address) {
        guard !request.isHTTPClient else { return }
        set(.vendorClass, text: "PXEClient")
        switch form {
        case .oneExchange: pxe = PXEOptions(discoveryControl: [.bootFileInOffer])
        case .bootServer: pxe = nil
        case .bootMenu:
            pxe = PXEOptions(
                discoveryControl: [.noBroadcast, .noMulticast, .listedServersOnly],
                bootServers: [.init(type: .slipway, addresses: [server])],
                bootMenu: [.init(type: .slipway, text: "Slipway")], prompt: .init(seconds: 0, text: "Slipway"))
        }
    }

    /// Marks a boot server's answer on port 4011: the item that was asked for is named again (PXE 2.1 §2.2.3, option 43.71).
    mutating func markBootServer(for request: Message) {
        guard !request.isHTTPClient else { return }
        set(.vendorClass, text: "PXEClient")
        let item = request.pxe?.bootItem
        pxe = PXEOptions(discoveryControl: item == nil ? [.bootFileInOffer] : nil, bootItem: item)
    }
}

extension PXEOptions.ServerType {
    /// One of those that PXE 2.1 §2.2.3 leaves to vendors: 8000h to FFFEh.
    static let slipway = Self(rawValue: 0x8000)
}
