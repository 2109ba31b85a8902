import DHCP
import NIOCore
import NetworkAddresses

/// One DHCP socket: hands packets to the desk, and sends its answers. Lives on one event loop.
final class DHCPHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    /// The socket; the channel owns it.
    private let descriptor: Int32
    private let desk: DHCPDesk
    private let port: Arrival.Port
    private let interface: String?
    private let batch = DatagramBatch()
    private var isOpen = true
    /// Packets are being read: what answers them leaves when all of them are.
    private var isReading = false
    private var send: @Sendable (ReplyPacket) -> Void = { _ in }

    init(descriptor: Int32, desk: DHCPDesk, port: Arrival.Port, interface: String?) {
        (self.descriptor, self.desk, self.port, self.interface) = (descriptor, desk, port, interface)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let (loop, handler) = (context.eventLoop, NIOLoopBound(self, eventLoop: context.eventLoop))
        send = { packet in
            guard loop.inEventLoop else { return loop.execute { handler.value.send(packet) } }
            handler.value.send(packet)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        let envelope = unwrapInboundIn(data)
        let source = envelope.remoteAddress
        let arrival = Arrival(
            port: port, interface: interface, source: (address: source.ipv4 ?? .unspecified, port: source.port ?? 68))
        desk.take(envelope.data.withUnsafeReadableBytes(Array.init), arrival, send: send)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        batch.send(on: descriptor)
    }

    func channelInactive(context: ChannelHandlerContext) {
        isOpen = false
        send = { _ in }
    }

    /// A link that is down for a moment must not end the service: clients ask again.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private func send(_ packet: ReplyPacket) {
        guard isOpen else { return }
        let (address, port): (NetworkAddresses.IPv4Address, UInt16) =
            switch packet.destination {
            case .broadcast: (.broadcast, 68)
            case .unicast(let address, let port): (address, UInt16(truncatingIfNeeded: port))
            }
        if !batch.add(packet.bytes, to: address, port: port) {
            batch.send(on: descriptor)
            _ = batch.add(packet.bytes, to: address, port: port)
        }
        if !isReading { batch.send(on: descriptor) }
    }
}
