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
        let receiver: DatagramSender.Address =
            switch packet.destination {
            case .broadcast: .init(.broadcast, port: 68)
            case .unicast(let address, let port): .init(address, port: UInt16(truncatingIfNeeded: port))
            }
        packet.bytes.withUnsafeBytes {
            guard !batch.add($0, to: receiver) else { return }
            batch.send(on: descriptor)
            _ = batch.add($0, to: receiver)
        }
        if !isReading { batch.send(on: descriptor) }
    }
}
