import DHCP
import Glibc
import NIOCore
import NetworkAddresses

/// Looks for other DHCP and proxyDHCP servers on a network, by asking as PXE firmware would. Takes no address.
public enum DHCPProbe {
    /// Who answered.
    public struct Answer: Equatable, Sendable {
        public var server: NetworkAddresses.IPv4Address
        /// Nil: a proxy, which gives none.
        public var address: NetworkAddresses.IPv4Address?
        public var bootFile: String?

        /// Nil for what is no OFFER to the probe.
        init?(_ reply: Message, xid: UInt32) {
            guard reply.operation == .reply, reply.type == .offer, reply.xid == xid else { return nil }
            server = reply.serverIdentifier ?? reply.siaddr
            address = reply.yiaddr == .unspecified ? nil : reply.yiaddr
            let name = reply.options[.bootFileName] ?? (reply.file.isEmpty ? nil : reply.file)
            bootFile = name.map { bytes in
                String(
                    decoding: bytes.prefix { $0 != 0 }.prefix(200).map { (0x20...0x7e).contains($0) ? $0 : 0x3f },
                    as: UTF8.self)
            }
        }
    }

    /// Who asks: locally administered, and known to our own server, which stays silent.
    public static let mac = MACAddress(rawValue: 0x0253_4c49_5057)

    /// Asks on one interface, and listens for `seconds`. Blocks.
    /// - Throws: ``BootServiceError``, with what to look at.
    public static func ask(on interface: String, seconds: Double = 3) throws -> [Answer] {
        let socket = try DatagramSocket.open(address: "0.0.0.0", port: 68, interface: interface)
        defer { close(socket) }
        let xid = UInt32.random(in: 1...UInt32.max)
        let bytes = discover(xid: xid).encoded
        let broadcast = try SocketAddress(NetworkAddresses.IPv4Address.broadcast, port: 67)
        let sent = broadcast.withSockAddr { sendto(socket, bytes, bytes.count, 0, $0, socklen_t($1)) }
        guard sent == bytes.count else {
            throw BootServiceError("cannot broadcast on \(interface): \(String(cString: strerror(errno)))")
        }
        var answers: [Answer] = []
        let end = ContinuousClock.now + .seconds(seconds)
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            let left = Int32(clamping: Int((end - .now) / .milliseconds(1)))
            var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&wanted, 1, left) > 0 else { return answers }
            let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0, let reply = try? Message(parsing: buffer[..<count]), let answer = Answer(reply, xid: xid),
                !answers.contains(answer)
            else { continue }
            answers.append(answer)
        }
    }

    static func discover(xid: UInt32) -> Message {
        var message = Message(operation: .request, xid: xid, chaddr: mac.bytes)
        message.type = .discover
        // Answers must come to an interface without an address of its own, too.
        message.flags = Message.broadcastFlag
        message.set(.vendorClass, text: "PXEClient:Arch:00007:UNDI:003016")
        message.options[.clientArchitecture] = [0, 7]
        message.options[.parameterRequestList] = [1, 3, 43, 54, 60, 66, 67]
        return message
    }
}
