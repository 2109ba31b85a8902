import DHCP
import FoundationEssentials
import NIOCore
import NIOPosix
import NetworkAddresses
import TFTP

/// A UEFI firmware with a network card, and the iPXE that it loads: DHCP, TFTP, DHCP again, the script by HTTP.
struct Firmware: Sendable {
    let number: Int
    let mac: MACAddress
    let relay: Relay
    let luck: Luck
    let odds: Odds

    /// What one boot from the network came to.
    struct Boot: Sendable {
        var address: NetworkAddresses.IPv4Address
        var script: String
    }

    /// - Returns: nil when it gave up: the firmware goes on with its next boot device.
    func boot() async -> Boot? {
        guard let first = await lease(isIPXE: false), let file = first.bootFile else { return nil }
        guard await fetch(file, from: first.server, to: first.address) else { return nil }
        guard let second = await lease(isIPXE: true), let url = second.bootFile else { return nil }
        for _ in 0..<5 where !Task.isCancelled {
            if let script = await PlainHTTP.get(url, from: second.address) {
                return Boot(address: second.address, script: script)
            }
            try? await Task.sleep(for: .seconds(1))
        }
        return nil
    }

    private struct Lease {
        var address, server: NetworkAddresses.IPv4Address
        var bootFile: String?
    }

    private func lease(isIPXE: Bool) async -> Lease? {
        var discover = message(.discover, isIPXE: isIPXE)
        guard let offer = await relay.exchange(discover, luck, odds, for: [.offer]), let server = offer.serverIdentifier
        else { return nil }
        discover = message(.request, isIPXE: isIPXE)
        discover.xid = offer.xid
        discover.set(.requestedAddress, [offer.yiaddr])
        discover.set(.serverIdentifier, [server])
        guard let answer = await relay.exchange(discover, luck, odds, for: [.ack, .nak]), answer.type == .ack else {
            return nil
        }
        let option = answer.options[.bootFileName].map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let field = String(decoding: answer.file.prefix { $0 != 0 }, as: UTF8.self)
        return Lease(
            address: answer.yiaddr, server: answer.siaddr == .unspecified ? server : answer.siaddr,
            bootFile: option ?? (field.isEmpty ? nil : field))
    }

    private func message(_ type: MessageType, isIPXE: Bool) -> Message {
        var message = Message(
            operation: .request, xid: UInt32(truncatingIfNeeded: luck.next()), chaddr: mac.bytes)
        message.flags = Message.broadcastFlag
        message.type = type
        message.set(.vendorClass, text: "PXEClient:Arch:00007:UNDI:003016")
        message.options[.clientArchitecture] = [0, 7]
        message.options[.networkInterface] = [1, 3, 16]
        message.options[.parameterRequestList] = [1, 3, 6, 43, 60, 66, 67]
        if isIPXE {
            message.set(.userClass, text: "iPXE")
            // HTTP and bzImage, the features that matter here.
            message.options[.ipxe] = [19, 1, 1, 24, 1, 1]
        }
        return message
    }

    /// The whole file, in blocks of 1428 bytes.
    private func fetch(
        _ file: String, from server: NetworkAddresses.IPv4Address, to own: NetworkAddresses.IPv4Address
    ) async -> Bool {
        let inbox = Inbox()
        guard let socket = try? await Datagrams.bind("\(own)", port: 0, { datagram, _ in inbox.deliver(datagram) }),
            var peer = try? SocketAddress(ipAddress: "\(server)", port: 69)
        else { return false }
        let isDone = await receive(file, inbox, socket, &peer)
        await socket.close()
        return isDone
    }

    private func receive(_ file: String, _ inbox: Inbox, _ socket: Datagrams, _ peer: inout SocketAddress) async -> Bool
    {
        var packet = Packet.readRequest(ReadRequest(file: file, options: [("blksize", "1428")]))
        var (expected, size, silences) = (UInt16(1), 512, 0)
        while silences < 6, !Task.isCancelled {
            if !luck.falls(odds.lostPacket) { socket.send(packet.encoded, to: peer) }
            guard let datagram = await inbox.next(within: 1, on: socket.channel.eventLoop),
                !luck.falls(odds.lostPacket), let answer = try? Packet(parsing: datagram.bytes)
            else {
                silences += 1
                continue
            }
            peer = datagram.from
            switch answer {
            case .optionAcknowledgment:
                size = 1428
                packet = .acknowledgment(block: 0)
            case .data(let block, let bytes) where block == expected:
                packet = .acknowledgment(block: block)
                silences = 0
                expected &+= 1
                if bytes.count < size {
                    socket.send(packet.encoded, to: peer)
                    return true
                }
            case .data: silences += 1
            default: return false
            }
        }
        return false
    }
}

/// `GET` as iPXE does it: HTTP/1.1, a connection for each file.
enum PlainHTTP {
    /// The body; nil unless the answer is a whole 200.
    static func get(_ url: String, from source: NetworkAddresses.IPv4Address) async -> String? {
        guard let rest = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false).last,
            let slash = rest.firstIndex(of: "/"), let own = try? SocketAddress(ipAddress: "\(source)", port: 0)
        else { return nil }
        let (host, path) = (rest[..<slash], rest[slash...])
        let parts = host.split(separator: ":")
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let whole = loop.makePromise(of: [UInt8].self)
        do {
            let channel = try await ClientBootstrap(group: loop).bind(to: own).connectTimeout(.seconds(5))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Collector(whole))
                    }
                }
                .connect(host: String(parts[0]), port: parts.count > 1 ? Int(parts[1]) ?? 80 : 80).get()
            loop.scheduleTask(in: .seconds(10)) { channel.close(promise: nil) }
            let request = "GET \(path) HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
            try await channel.writeAndFlush(ByteBuffer(string: request)).get()
            let answer = String(decoding: try await whole.futureResult.get(), as: UTF8.self)
            guard answer.hasPrefix("HTTP/1.1 200"), let head = answer.firstRange(of: "\r\n\r\n") else { return nil }
            return String(answer[head.upperBound...])
        } catch {
            // Where the connection was made, its end has kept the promise already.
            whole.succeed([])
            return nil
        }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let whole: EventLoopPromise<[UInt8]>
        private var bytes: [UInt8] = []

        init(_ whole: EventLoopPromise<[UInt8]>) { self.whole = whole }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            bytes += unwrapInboundIn(data).readableBytesView
        }

        func channelInactive(context: ChannelHandlerContext) { whole.succeed(bytes) }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
