import DHCP
import NIOCore
import NetworkAddresses

/// One DHCP socket: hands packets to the desk, and its answers to the wire.
final class DHCPHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let desk: DHCPDesk
    private let port: Arrival.Port
    private let interface: String?
    /// Packets are being read: what is written goes out when all of them are.
    private var isReading = false

    init(desk: DHCPDesk, port: Arrival.Port, interface: String?) {
        (self.desk, self.port, self.interface) = (desk, port, interface)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        let envelope = unwrapInboundIn(data)
        let source = envelope.remoteAddress
        let arrival = Arrival(
            port: port, interface: interface, source: (address: source.ipv4 ?? .unspecified, port: source.port ?? 68))
        let (loop, bound) = (context.eventLoop, NIOLoopBound((self, context), eventLoop: context.eventLoop))
        let bytes = envelope.data.getBytes(at: envelope.data.readerIndex, length: envelope.data.readableBytes) ?? []
        desk.take(bytes, arrival) { reply in
            guard loop.inEventLoop else {
                return loop.execute { bound.value.0.send(reply, bound.value.1) }
            }
            bound.value.0.send(reply, bound.value.1)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        context.flush()
    }

    /// A link that is down for a moment must not end the service: clients ask again.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private func send(_ reply: Reply, _ context: ChannelHandlerContext) {
        let (address, port): (NetworkAddresses.IPv4Address, Int) =
            switch reply.destination {
            case .broadcast: (.broadcast, 68)
            case .unicast(let address, let port): (address, port)
            }
        guard let destination = try? SocketAddress(address, port: port) else { return }
        let envelope = AddressedEnvelope(
            remoteAddress: destination, data: context.channel.allocator.buffer(bytes: reply.message.encoded))
        context.write(wrapOutboundOut(envelope), promise: nil)
        if !isReading { context.flush() }
    }
}

extension SocketAddress {
    /// Without a detour through text.
    init(_ address: NetworkAddresses.IPv4Address, port: Int) throws {
        try self.init(packedIPAddress: ByteBuffer(bytes: address.bytes), port: port)
    }
}
